import HL7v2
import Workflow

/// PID-3 and MRG-1; OBR-18 and IPC-1.
extension MessageKeys {
    private static let places: [(segment: SegmentID, field: Int, kind: Kind)] = [
        ("PID", 3, .patient), ("MRG", 1, .patient), ("OBR", 18, .accession), ("IPC", 1, .accession),
    ]

    /// Those of a received message; with `accession` where the site puts the accession number.
    init(_ message: Message, accession: [FieldPath]) {
        self.init()
        for segment in message.segments {
            for place in Self.places where place.segment == segment.id {
                for repetition in segment[place.field].repetitions.prefix(Self.countMax) {
                    add(place.kind, repetition[1].peekedText)
                }
            }
        }
        for path in accession { add(.accession, message.value(at: path).peekedText) }
    }

    /// Those of a message that is to be sent.
    init(_ message: MessageDraft) {
        self.init()
        for segment in message.segments {
            for place in Self.places where place.segment == segment.id {
                for repetition in segment[place.field].repetitions.prefix(Self.countMax) {
                    if case .key(let number)? = repetition[1].subcomponents.first { add(place.kind, number) }
                }
            }
        }
    }
}
