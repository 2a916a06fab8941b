/// A FHIRPath expression that names elements of one resource: members, positions, and functions that choose among them.
///
/// Left out is what computes or leads elsewhere: arithmetic, order, union, `resolve()`, variables.
/// *Spec:* FHIRPath N1 (1.0) and FHIR R4 fhirpath.html.
package struct FHIRPathExpression: Hashable, Sendable {
    indirect enum Node: Hashable, Sendable {
        /// What the expression is asked of; within a criterion the item in hand.
        case this
        case text(String)
        case number(String)
        case bool(Bool)
        case member(of: Node, String)
        case index(of: Node, Int)
        case call(on: Node, Function, [Node])
        case comparison(Node, isEqual: Bool, Node)
        case all(Node, Node)
        case either(Node, Node)
    }

    /// The functions that are understood, by their names in the language.
    enum Function: String, Hashable, Sendable, CaseIterable {
        case `where`, exists, empty, not, first, last, tail, single, skip, take, count, ofType, `as`, `extension`,
            hasValue, startsWith, endsWith, contains

        /// How many arguments it takes.
        var arguments: ClosedRange<Int> {
            switch self {
            case .where, .skip, .take, .ofType, .as, .extension, .startsWith, .endsWith, .contains: 1...1
            case .exists: 0...1
            case .empty, .not, .first, .last, .tail, .single, .count, .hasValue: 0...0
            }
        }
    }

    let root: Node

    /// Bytes of an expression.
    static let bytesMax = 4_096
    /// Open brackets and chained parts at one time.
    static let depthMax = 64

    /// Throws ``FHIRPathError``.
    package init(_ text: String) throws(FHIRPathError) {
        guard text.utf8.count <= Self.bytesMax else { throw FHIRPathError(.tooLong, offset: Self.bytesMax) }
        var parser = FHIRPathParser(text)
        root = try parser.whole()
    }
}

/// Why an expression was not understood.
package struct FHIRPathError: Error, Hashable, Sendable {
    package enum Reason: String, Hashable, Sendable, CaseIterable {
        case tooLong = "it is longer than 4096 bytes"
        case tooDeep = "it is nested more than 64 deep"
        case unexpectedEnd = "it ends too early"
        case unexpectedCharacter = "a character is not expected there"
        case unknownFunction = "a function is not known or not allowed there"
        case wrongArguments = "a function has the wrong number of arguments"
        case notSingle = "an expression that has to give one item gives several"
        case tooCostly = "it looks at more elements than one expression may"
    }
    package let reason: Reason
    /// Byte offset in the text; 0 for what is found while it is evaluated.
    package let offset: Int

    init(_ reason: Reason, offset: Int = 0) {
        self.reason = reason
        self.offset = offset
    }

    /// For a client, without the text.
    package var sentence: String {
        offset > 0 ? "\(reason.rawValue) (at byte \(offset))" : reason.rawValue
    }
}
