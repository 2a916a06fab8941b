/// The abstract message definition of a kind of message: which segments make which groups. HL7 v2.5.1 §2.12.
///
/// Written as text: segments and groups in the order of the standard, `?` for optional, `*` for optional and repeating,
/// `+` for repeating; a group is `NAME+( … )`. One definition serves the versions 2.2 to 2.8: it is the union of theirs.
package struct MessageStructure: Sendable {
    /// The name as in MSH-9.3, such as `ORU_R01`.
    package let name: String
    let root: GroupDefinition
    /// Whether a segment may begin a group where its name alone would allow it: the content that tells one use of a
    /// segment from another. Gets the group's name.
    let admits: @Sendable (String, Segment) -> Bool

    /// Our own text is at fault when it does not follow the notation.
    package init(
        _ name: String, _ definition: String,
        admits: @escaping @Sendable (_ group: String, _ segment: Segment) -> Bool = { _, _ in true }
    ) {
        self.name = name
        self.admits = admits
        var scanner = DefinitionScanner(definition)
        root = GroupDefinition(name: name, isRepeating: false, isRequired: true, members: scanner.members())
        precondition(scanner.isAtEnd, "\(name): the definition does not follow the notation")
    }
}

/// A group of an abstract message definition.
final class GroupDefinition: Sendable {
    enum Member: Sendable {
        case segment(SegmentID, isRequired: Bool, isRepeating: Bool)
        case group(GroupDefinition)

        var isRequired: Bool {
            switch self {
            case .segment(_, let isRequired, _): isRequired
            case .group(let group): group.isRequired
            }
        }
        var isRepeating: Bool {
            switch self {
            case .segment(_, _, let isRepeating): isRepeating
            case .group(let group): group.isRepeating
            }
        }
    }

    let name: String
    let isRepeating: Bool
    let isRequired: Bool
    let members: [Member]
    /// The members up to and with the first required one: what the group may begin with. Their order counts, for it is
    /// what tells one repetition of the group from the next; the rest is taken in any order.
    let openingCount: Int

    init(name: String, isRepeating: Bool, isRequired: Bool, members: [Member]) {
        self.name = name
        self.isRepeating = isRepeating
        self.isRequired = isRequired
        self.members = members
        openingCount = (members.firstIndex { $0.isRequired } ?? (members.count - 1)) + 1
    }

    /// The path of members, from this group down, by which the group begins with that segment. Empty when it can not.
    func opening(with segment: Segment, admits: (String, Segment) -> Bool) -> [Int] {
        guard admits(name, segment) else { return [] }
        for index in 0..<openingCount {
            switch members[index] {
            case .segment(let id, _, _): if id == segment.id { return [index] }
            case .group(let group):
                let path = group.opening(with: segment, admits: admits)
                if !path.isEmpty { return [index] + path }
            }
        }
        return []
    }
}

/// Reads the notation of `MessageStructure`.
private struct DefinitionScanner {
    private var words: ArraySlice<String>

    init(_ text: String) {
        var words: [String] = []
        var word = ""
        for character in text {
            if character == "(" || character == ")" || character.isWhitespace {
                if !word.isEmpty { words.append(word) }
                word = ""
                if !character.isWhitespace { words.append(String(character)) }
            } else {
                word.append(character)
            }
        }
        if !word.isEmpty { words.append(word) }
        self.words = words[...]
    }

    var isAtEnd: Bool { words.isEmpty }

    mutating func members() -> [GroupDefinition.Member] {
        var members: [GroupDefinition.Member] = []
        while let word = words.first, word != ")" {
            words.removeFirst()
            let mark = word.last.flatMap { "?*+".contains($0) ? $0 : nil }
            let name = mark == nil ? word : String(word.dropLast())
            let isRequired = mark == nil || mark == "+"
            let isRepeating = mark == "*" || mark == "+"
            if words.first == "(" {
                words.removeFirst()
                let inner = self.members()
                precondition(words.first == ")", "\(name): the group is not closed")
                words.removeFirst()
                members.append(
                    .group(
                        GroupDefinition(name: name, isRepeating: isRepeating, isRequired: isRequired, members: inner)))
            } else {
                guard let id = SegmentID(name) else { preconditionFailure("\(name) is no segment name") }
                members.append(.segment(id, isRequired: isRequired, isRepeating: isRepeating))
            }
        }
        return members
    }
}
