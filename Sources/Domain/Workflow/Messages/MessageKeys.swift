/// By what a message is looked for beside its own numbers: the patient and accession numbers in it, as they are written
/// there.
package struct MessageKeys: Sendable, Hashable {
    package enum Kind: String, Sendable, Hashable, CaseIterable { case patient, accession }

    /// The most numbers of one kind that are kept of one message.
    package static let countMax = 50

    private var numbers: [Kind: [String]] = [:]

    package init() {}

    /// Notes a number, once. What no store can keep, and what is past the limit, is not looked for.
    package mutating func add(_ kind: Kind, _ number: String?) {
        guard let number, !number.isEmpty, TextRule.reason(against: number) == nil,
            self[kind].count < Self.countMax, !self[kind].contains(number)
        else { return }
        numbers[kind, default: []].append(number)
    }

    package subscript(kind: Kind) -> [String] { numbers[kind] ?? [] }

    package var isEmpty: Bool { numbers.isEmpty }
}
