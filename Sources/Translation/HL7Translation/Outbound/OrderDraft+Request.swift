import Workflow

/// Which side of an order this server takes towards a destination: it decides what ORC-1 says. HL7 v2.5.1 table 0119.
package enum OrderRole: String, Sendable, Hashable {
    /// The destination fills what is ordered here: new, change and cancel are requests.
    case placer
    /// The destination placed the orders, or keeps a copy of them: it is told what became of them.
    case filler
}

/// What became of an order since a destination was last told of it.
enum OrderChange: Sendable, Hashable {
    case new
    case changed
    case cancelled
    case discontinued
    case held
    case released
    /// Work on it, or its end.
    case progressed
    /// Half of a pair: the order that is over, and the one in its place.
    case replaced, replacing

    /// ORC-1.
    func control(_ role: OrderRole) -> String {
        switch (self, role) {
        case (.new, .placer): "NW"
        case (.new, .filler): "SN"
        case (.changed, .placer): "XO"
        case (.changed, .filler): "XX"
        case (.cancelled, .placer): "CA"
        case (.cancelled, .filler): "OC"
        case (.discontinued, .placer): "DC"
        case (.discontinued, .filler): "OD"
        case (.held, .placer): "HD"
        case (.held, .filler): "OH"
        case (.released, .placer): "RL"
        case (.released, .filler): "OE"
        case (.progressed, _): "SC"
        case (.replaced, .placer): "RP"
        case (.replaced, .filler): "RU"
        case (.replacing, _): "RO"
        }
    }

    /// What the order is now as opposed to what was last told of it; nil where nothing that is told has changed.
    ///
    /// - Parameter told: the state that was told, and whether its content differs; nil when nothing was.
    init?(of order: ImagingOrder, told: (state: String, isContentChanged: Bool)?) {
        guard let told else {
            // What was never told of and is over needs no telling.
            guard order.status == .active || order.status == .onHold else { return nil }
            self = .new
            return
        }
        let state = Self.state(of: order)
        guard state != told.state else {
            guard told.isContentChanged else { return nil }
            self = .changed
            return
        }
        switch state {
        case "CA", "ER": self = .cancelled
        case "DC": self = .discontinued
        case "HD": self = .held
        default: self = told.state == "HD" ? .released : .progressed
        }
    }

    /// ORC-5: the state of an order with the work on it. Table 0038.
    static func state(of order: ImagingOrder) -> String {
        switch order.status {
        case .revoked: return order.steps.contains { $0.status == .discontinued } ? "DC" : "CA"
        case .enteredInError: return "ER"
        case .completed: return "CM"
        case .onHold: return "HD"
        case .draft, .active, .unknown: break
        }
        let steps = order.steps.map(\.status)
        if steps.contains(.inProgress) { return "IP" }
        let open = steps.filter(\.isOpen)
        if open.isEmpty, steps.contains(.completed) { return "CM" }
        if open.isEmpty, steps.contains(.discontinued) { return "DC" }
        return open.count < steps.count && steps.contains(.completed) ? "IP" : "SC"
    }
}
