import Basics

/// What became of cards, as a caller tells it. CDS Hooks 2.0 §Feedback.
///
/// What people wrote beside it is looked at and let go: it may be about the patient.
struct CDSHookFeedback: Sendable, Hashable {
    enum Outcome: String, Sendable { case accepted, overridden }
    struct Entry: Sendable, Hashable {
        /// The `uuid` of a card, in lower case.
        let card: String
        let outcome: Outcome
    }

    /// Cards in one body.
    static let entriesMax = 20
    /// Suggestions of one card; those of this server have none.
    static let suggestionsMax = 100
    static let depthMax = 10

    /// At least one.
    let entries: [Entry]

    /// Throws ``CDSHookCall/Refusal`` for what is no feedback.
    init(_ bytes: [UInt8]) throws(CDSHookCall.Refusal) {
        guard let root = try? JSONTree.read(bytes, depthMax: Self.depthMax),
            case .array(let items)? = root["feedback"]?.value, !items.isEmpty
        else { throw Self.wrong("The body is no object with a feedback array") }
        guard items.count <= Self.entriesMax else {
            throw Self.wrong("feedback holds at most \(Self.entriesMax) entries: send the others by themselves")
        }
        var entries: [Entry] = []
        for item in items { entries.append(try Self.entry(item)) }
        self.entries = entries
    }

    private static func entry(_ item: JSONTree) throws(CDSHookCall.Refusal) -> Entry {
        guard let card = text(item["card"]), isUUID(card) else {
            throw wrong("card is needed in each entry: the uuid of the card")
        }
        guard let outcome = text(item["outcome"]).flatMap(Outcome.init(rawValue:)) else {
            throw wrong("outcome is accepted or overridden")
        }
        guard let time = text(item["outcomeTimestamp"]), isInstant(time) else {
            throw wrong("outcomeTimestamp is needed in each entry: a date and time with its zone")
        }
        if let suggestions = item["acceptedSuggestions"] {
            guard case .array(let accepted) = suggestions.value, accepted.count <= suggestionsMax,
                accepted.allSatisfy({ text($0["id"])?.isEmpty == false })
            else { throw wrong("acceptedSuggestions is an array of objects with an id") }
        }
        if let reason = item["overrideReason"] {
            guard case .object = reason.value, reason["userComment"].map({ text($0) != nil }) ?? true,
                reason["reason"].map({ text($0["code"]) != nil }) ?? true
            else { throw wrong("overrideReason is an object of reason, with its code, and userComment") }
        }
        return Entry(card: card.lowercased(), outcome: outcome)
    }

    private static func wrong(_ text: String) -> CDSHookCall.Refusal { .init(isMissingPrefetch: false, text: text) }

    private static func text(_ tree: JSONTree?) -> String? {
        guard case .string(let text)? = tree?.value, !text.utf8.contains(0) else { return nil }
        return text
    }

    /// RFC 9562 §4.
    static func isUUID(_ text: String) -> Bool {
        let groups = text.utf8.split(separator: UInt8(ascii: "-"), omittingEmptySubsequences: false)
        return groups.map(\.count) == [8, 4, 4, 4, 12] && groups.joined().allSatisfy(isHexadecimal)
    }

    private static func isHexadecimal(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x41...0x46).contains(byte) || (0x61...0x66).contains(byte)
    }

    /// `2026-11-30T10:00:00Z`, with parts of a second or another zone where they are told. RFC 3339 §5.6.
    static func isInstant(_ text: String) -> Bool {
        let bytes = Array(text.utf8)
        /// The number of so many digits.
        func number(_ start: Int, _ count: Int) -> Int? {
            guard start + count <= bytes.count else { return nil }
            var value = 0
            for byte in bytes[start..<(start + count)] {
                guard (0x30...0x39).contains(byte) else { return nil }
                value = value * 10 + Int(byte - 0x30)
            }
            return value
        }
        func isSign(_ place: Int, _ signs: String) -> Bool { place < bytes.count && signs.utf8.contains(bytes[place]) }
        guard bytes.count <= 40, let year = number(0, 4), isSign(4, "-"), let month = number(5, 2), isSign(7, "-"),
            let day = number(8, 2), isSign(10, "Tt"), let hour = number(11, 2), isSign(13, ":"),
            let minute = number(14, 2), isSign(16, ":"), let second = number(17, 2), (1...12).contains(month),
            (1...CivilDate.length(year: year, month: month)).contains(day), hour < 24, minute < 60, second <= 60
        else { return false }
        var place = 19
        if isSign(place, ".") {
            let start = place + 1
            place = start
            while number(place, 1) != nil { place += 1 }
            if place == start { return false }
        }
        if isSign(place, "Zz") { return place + 1 == bytes.count }
        guard isSign(place, "+-"), let hours = number(place + 1, 2), isSign(place + 3, ":"),
            let minutes = number(place + 4, 2)
        else { return false }
        return hours < 24 && minutes < 60 && place + 6 == bytes.count
    }

    /// A new name of a card. RFC 9562 §5.4.
    /// - Parameter random: 16 strong random bytes.
    static func cardID(_ random: [UInt8]) -> String {
        UUIDBytes.text(UUIDBytes.make(version: 4, of: random))
    }
}
