import Workflow

/// By what an order can be taken back once it is gone: its patient, its numbers and what was ordered, as they were told.
struct ToldOrder: Sendable, Hashable {
    var patient: EntityID
    var placer: Identifier?
    var filler: Identifier?
    var accession: Identifier?
    /// Nil where an earlier version was the one that told of it.
    var code: CodedConcept.Coding?

    init(_ order: ImagingOrder) {
        (patient, placer, filler, accession) = (order.patientID, order.placer, order.filler, order.accession)
        code =
            order.code.codings.first ?? order.code.text.map { CodedConcept.Coding(system: nil, code: "", display: $0) }
    }

    /// The order that they name, with nothing else of it.
    func order(_ id: EntityID) -> ImagingOrder {
        ImagingOrder(
            id: id, patientID: patient, placer: placer, filler: filler, accession: accession, status: .revoked,
            code: code.map { $0.code.isEmpty ? CodedConcept(text: $0.display) : CodedConcept(codings: [$0]) }
                ?? CodedConcept())
    }

    // MARK: Text

    /// Ten parts, one a line: the patient, then system and value of the placer, filler and accession number, then system,
    /// code and display of what was ordered; empty for none. An earlier version kept the first seven.
    var text: String {
        let numbers = [placer, filler, accession].flatMap { [$0?.system ?? "", $0?.value ?? ""] }
        let ordered = [code?.system ?? "", code?.code ?? "", code?.display ?? ""]
        return ([patient.value] + numbers + ordered).map(Self.escaped).joined(separator: "\n")
    }

    /// Reads ``text``. Nil for anything else.
    init?(_ text: String) {
        let parts = text.split(separator: "\n", omittingEmptySubsequences: false).map(Self.unescaped)
        guard parts.count == 7 || parts.count == 10 else { return nil }
        func number(_ at: Int, _ kind: Identifier.Kind) -> Identifier? {
            parts[at + 1].isEmpty ? nil : Identifier(system: parts[at], value: parts[at + 1], kind: kind)
        }
        patient = EntityID(parts[0])
        placer = number(1, .placer)
        filler = number(3, .filler)
        accession = number(5, .accession)
        if parts.count == 10, !(parts[8].isEmpty && parts[9].isEmpty) {
            code = CodedConcept.Coding(
                system: parts[7].isEmpty ? nil : parts[7], code: parts[8], display: parts[9].isEmpty ? nil : parts[9])
        }
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
