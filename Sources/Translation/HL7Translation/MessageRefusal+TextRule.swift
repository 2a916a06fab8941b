import HL7v2
import Workflow

extension MessageRefusal {
    /// What the store can never keep: sent again it fails again, so it is an error of the content and not a passing one.
    init(_ refusal: TextRule.Refusal) {
        self.init(.dataTypeError, at: Self.location(of: refusal.field), "Not stored: \(refusal)")
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
        case .studyUID: nil
        }
    }

    /// Finds the first value with an escaped NUL (`\X00\`), which is no character of any text. A plain NUL does not get
    /// past the parser. HL7 v2.5.1 §2.7.5.
    static func escapedNUL(in message: Message) -> MessageRefusal? {
        let escape = message.delimiters.escape
        for segment in message.segments where segment.bytes.contains(escape) {
            for number in 1...max(1, segment.fieldCount) where holdsNUL(segment[number].rawBytes, escape) {
                return MessageRefusal(
                    .dataTypeError, at: segment.location(field: number), "Not stored: a value contains NUL")
            }
        }
        return nil
    }

    /// Whether a sequence between two escape characters that starts with X has a pair of digits 00.
    private static func holdsNUL(_ field: some Collection<UInt8>, _ escape: UInt8) -> Bool {
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
