import Workflow

/// What order control codes and order statuses ask of an order and of the worklist. HL7 v2.5.1 tables 0119 and 0038.
enum OrderCodes {
    /// What a code of table 0119 is to a system that keeps orders.
    enum Meaning: Sendable, Hashable {
        case asks(OrderUpdate.Control)
        /// It asks nothing of an order that is kept here; the note says what it is.
        case informs(String)
    }

    /// Table 0119. Nil for a code that is not in it.
    static func meaning(ofControl code: String) -> Meaning? {
        switch code {
        case "NW", "RO", "CH": .asks(.new)
        case "XO", "XX", "XR": .asks(.change)
        // A replaced order is over; its replacement comes as RO. CP ends the steps that the message names.
        case "CA", "OC", "CR", "CP", "RP", "RQ", "RU": .asks(.cancel)
        case "DC", "OD", "DR": .asks(.discontinue)
        case "HD", "OH", "HR": .asks(.hold)
        case "RL", "OE", "OR": .asks(.release)
        case "SC", "SN", "NA", "OK", "SR", "PA", "PR", "RE", "CN": .asks(.statusChanged)
        case "UA", "UC", "UD", "UF", "UH", "UM", "UR", "UX":
            .informs("a refusal of an order request was kept without effect")
        case "DE": .informs("a report of data errors was kept without effect")
        case "RR", "SS": .informs("a request for an answer was kept without effect")
        case "AF", "DF", "FU", "OF", "OP", "PY", "RF": .informs("a refill or dispense code was kept without effect")
        case "LI", "UN": .informs("a link to a problem or goal was kept without effect")
        case "MC": .informs("a charge was kept without effect")
        default: nil
        }
    }

    /// Table 0038. Nil for a code that is not in it.
    static func orderStatus(_ code: String) -> ImagingOrder.Status? {
        switch code {
        case "CA", "DC", "RP": .revoked
        case "CM": .completed
        case "ER": .enteredInError
        case "HD": .onHold
        case "A", "IP", "SC": .active
        default: nil
        }
    }

    /// The worklist state for a control and a status, where the site gives the pair none. Nil leaves the steps as they are.
    ///
    /// A request carries its state itself; what informs or changes takes it from the status.
    static func stepStatus(_ control: OrderUpdate.Control, status: String) -> ScheduledProcedureStep.Status? {
        switch control {
        case .cancel: .canceled
        case .discontinue: .discontinued
        case .hold: .held
        case .release: .scheduled
        case .new: status == "IP" ? .scheduled : stepStatus(status) ?? .scheduled
        // A change of an order whose work has begun leaves the work as it is.
        case .change: status == "IP" ? nil : stepStatus(status)
        case .statusChanged, .mentioned: stepStatus(status)
        }
    }

    private static func stepStatus(_ status: String) -> ScheduledProcedureStep.Status? {
        switch status {
        case "SC": .scheduled
        case "IP": .inProgress
        case "A", "CM": .completed
        case "CA", "ER", "RP": .canceled
        case "DC": .discontinued
        case "HD": .held
        default: nil
        }
    }
}
