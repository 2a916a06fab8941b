import HL7v2
import Workflow

/// What the answer to an order message (ORR^O02, ORG^O20, ORI^O24) tells of its orders. HL7 v2.5.1 §4.4.2, §4.4.5,
/// §4.4.17, IHE RAD-2 and RAD-3.
package struct OrderAnswer: Sendable {
    /// The numbers that the filler gave.
    package let updates: [OrderUpdate]
    /// ORC-1 of the orders that the receiver does not take (UA, UC, UD, UX and the like).
    package let refusals: [String]

    /// Nil for an answer that tells of no order.
    ///
    /// - Parameter message: what is answered: it has the accession numbers, which an answer often leaves out.
    package init?(_ answer: [UInt8], to message: [UInt8], profile: SiteProfile) {
        guard let read = try? profile.parser.parse(answer), ["ORR", "ORG", "ORI"].contains(read.header.messageCode)
        else { return nil }
        let types = DataTypes(profile: profile, trace: ReadTrace())
        let accessions = Self.accessions(message, types)
        var updates: [OrderUpdate] = []
        var refusals: [String] = []
        for orc in read.segments where orc.id == "ORC" {
            let control = orc[1].text ?? ""
            if control.hasPrefix("U"), case .informs? = OrderCodes.meaning(ofControl: control) {
                refusals.append(control)
                continue
            }
            guard let filler = types.ei(orc[3][1], fallback: profile.fillerSystem, kind: .filler) else { continue }
            var update = OrderUpdate(control: .statusChanged, patient: nil)
            update.placer = types.ei(orc[2][1], fallback: profile.placerSystem, kind: .placer)
            update.filler = filler
            // Without a number of the placer the answer is to the only order that was sent.
            let number = orc[2].text
            update.accession =
                number.flatMap { accessions[$0] } ?? (accessions.count == 1 ? accessions.first?.value : nil)
            updates.append(update)
        }
        guard MessageRefusal(types.trace.faults) == nil else { return nil }
        self.updates = updates
        self.refusals = refusals
    }

    /// Keeps the numbers with the orders. Returns what is worth a word in the log; an order that is gone is.
    package func apply(in unit: any UnitOfWork) throws -> [String] {
        var notes: [String] = []
        for update in updates {
            do {
                notes += try OrderService().apply(update, in: unit).notes
            } catch is OrderService.Refusal {
                notes.append("the number in the answer could not be given to an order")
            }
        }
        return notes
    }

    /// The accession number of each order of a message, by ORC-2.
    private static func accessions(_ bytes: [UInt8], _ types: DataTypes) -> [String: Identifier] {
        guard let message = try? types.profile.parser.parse(bytes) else { return [:] }
        var found: [String: Identifier] = [:]
        var placer: String?
        for segment in message.segments {
            let field: Field
            switch segment.id {
            case "ORC":
                placer = segment[2].text
                continue
            case "OBR": field = segment[18]
            case "IPC": field = segment[1]
            default: continue
            }
            let system = types.profile.authorities.defaultAccessionSystem
            if let placer, let accession = types.ei(field[1], fallback: system, kind: .accession) {
                found[placer] = accession
            }
        }
        return found
    }
}
