import HL7v2
import Workflow

extension MessageRefusal {
    /// What the store can never keep: sent again it fails again, so it is an error of the content and not a passing one.
    init(_ refusal: TextRule.Refusal) {
        self.init(.dataTypeError, at: Self.location(of: refusal.field), "Not stored: \(refusal)")
    }

    /// What of the message no store can keep, by the places where it was read; nil when there is nothing of the kind.
    init?(_ faults: [ReadTrace.Fault]) {
        let entries = faults.filter(\.isRefusal).map {
            Acknowledgment.Entry($0.condition, at: $0.location, userMessage: $0.text)
        }
        guard !entries.isEmpty else { return nil }
        self.init(.error, entries)
    }

    /// What the database refused although the rule of the domain let it pass.
    static let unacceptableValue = MessageRefusal(
        .dataTypeError, at: nil, "A value holds what cannot be stored; it is refused each time")

    private static func location(of field: TextRule.Field) -> ErrorLocation? {
        switch field {
        case .patientIdentifier: ErrorLocation(segment: "PID", field: 3)
        case .patientName: ErrorLocation(segment: "PID", field: 5)
        case .issuer: ErrorLocation(segment: "PID", field: 3, component: 4)
        case .visitIdentifier: ErrorLocation(segment: "PV1", field: 19)
        case .placer: ErrorLocation(segment: "OBR", field: 2)
        case .filler: ErrorLocation(segment: "OBR", field: 3)
        case .accession: ErrorLocation(segment: "OBR", field: 18)
        case .procedure, .studyID: ErrorLocation(segment: "OBR", field: 19)
        case .step: ErrorLocation(segment: "OBR", field: 20)
        case .referrer: ErrorLocation(segment: "OBR", field: 16)
        case .message: ErrorLocation(segment: "MSH", field: 10)
        case .studyUID, .code: nil
        }
    }

    /// Finds the first field that nothing is to be made of, in one pass over the message: with an escaped NUL (`\X00\`),
    /// which is no character of any text (a plain one does not get past the parser), or a list longer than any person,
    /// visit or order has one. HL7 v2.5.1 §2.7.5.
    static func unkeepable(in message: Message) -> MessageRefusal? {
        let delimiters = message.delimiters
        for segment in message.segments {
            let isEscaped = segment.bytes.contains(delimiters.escape)
            let isLong = segment.bytes.count { $0 == delimiters.repetition } >= HL7Limits.listedRepetitionsMax
            guard isEscaped || isLong else { continue }
            for number in 1...max(1, segment.fieldCount) {
                let field = segment[number].rawBytes
                if isEscaped, holdsNUL(field, delimiters.escape) {
                    return MessageRefusal(
                        .dataTypeError, at: segment.location(field: number), "Not stored: a value contains NUL")
                }
                // The lines of a text may be as many as they like.
                let isText = (segment.id == "OBX" && number == 5) || (segment.id == "NTE" && number == 3)
                let count = isLong && !isText ? field.count { $0 == delimiters.repetition } + 1 : 0
                if count > HL7Limits.listedRepetitionsMax {
                    return MessageRefusal(
                        .dataTypeError,
                        at: segment.location(field: number, repetition: HL7Limits.listedRepetitionsMax + 1),
                        "Not stored: the field repeats more than \(HL7Limits.listedRepetitionsMax) times")
                }
            }
        }
        return nil
    }

    /// Whether a sequence between two escape characters that starts with X has a pair of digits 00.
    private static func holdsNUL(_ field: some Collection<UInt8>, _ escape: UInt8) -> Bool {
        guard field.contains(escape) else { return false }
        let parts = field.split(separator: escape, omittingEmptySubsequences: false)
        // The last part is not closed, so it is no sequence.
        for part in parts.dropFirst().dropLast() where part.first == UInt8(ascii: "X") {
            let digits = Array(part.dropFirst())
            for pair in stride(from: 0, to: digits.count - 1, by: 2)
            where digits[pair] == UInt8(ascii: "0") && digits[pair + 1] == UInt8(ascii: "0") { return true }
        }
        return false
    }
}
