import Workflow

/// By what an order can be taken back once it is gone: its patient and its numbers, as they were told.
struct ToldOrder: Sendable, Hashable {
    var patient: EntityID
    var placer: Identifier?
    var filler: Identifier?
    var accession: Identifier?

    init(_ order: ImagingOrder) {
        (patient, placer, filler, accession) = (order.patientID, order.placer, order.filler, order.accession)
    }

    /// The order that they name, with nothing else of it.
    func order(_ id: EntityID) -> ImagingOrder {
        ImagingOrder(
            id: id, patientID: patient, placer: placer, filler: filler, accession: accession, status: .revoked,
            code: CodedConcept())
    }

    // MARK: Text

    /// Seven parts, one a line: the patient, then system and value of the placer, filler and accession number; empty for
    /// none.
    var text: String {
        let numbers = [placer, filler, accession].flatMap { [$0?.system ?? "", $0?.value ?? ""] }
        return ([patient.value] + numbers).map(Self.escaped).joined(separator: "\n")
    }

    /// Reads ``text``. Nil for anything else.
    init?(_ text: String) {
        let parts = text.split(separator: "\n", omittingEmptySubsequences: false).map(Self.unescaped)
        guard parts.count == 7 else { return nil }
        func number(_ at: Int, _ kind: Identifier.Kind) -> Identifier? {
            parts[at + 1].isEmpty ? nil : Identifier(system: parts[at], value: parts[at + 1], kind: kind)
        }
        patient = EntityID(parts[0])
        placer = number(1, .placer)
        filler = number(3, .filler)
        accession = number(5, .accession)
    }

    /// Line ends are within no part.
    private static func escaped(_ text: String) -> String {
        text.replacing("\\", with: "\\\\").replacing("\n", with: "\\n").replacing("\r", with: "\\r")
    }

    private static func unescaped(_ text: Substring) -> String {
        var found = String.UnicodeScalarView()
        var isEscaped = false
        for scalar in text.unicodeScalars {
            if isEscaped {
                found.append(scalar == "n" ? "\n" : scalar == "r" ? "\r" : scalar)
                isEscaped = false
            } else if scalar == "\\" {
                isEscaped = true
            } else {
                found.append(scalar)
            }
        }
        return String(found)
    }
}
