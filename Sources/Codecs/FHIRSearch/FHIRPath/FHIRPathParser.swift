/// Reads one expression, by descent: `or`, `and`, comparison, then the chain of an item. FHIRPath N1 §6.
struct FHIRPathParser: PathScanner {
    private typealias Node = FHIRPathExpression.Node
    let text: [UInt8]
    var at = 0
    private var depth = 0

    init(_ text: String) { self.text = Array(text.utf8) }

    mutating func whole() throws(FHIRPathError) -> FHIRPathExpression.Node {
        let node = try either()
        skipSpace()
        guard at == text.count else { throw error(.unexpectedCharacter) }
        return node
    }

    private func error(_ reason: FHIRPathError.Reason) -> FHIRPathError { FHIRPathError(reason, offset: at) }

    private mutating func deeper() throws(FHIRPathError) {
        depth += 1
        guard depth <= FHIRPathExpression.depthMax else { throw error(.tooDeep) }
    }

    // MARK: Operators

    private mutating func either() throws(FHIRPathError) -> Node {
        try deeper()
        defer { depth -= 1 }
        var node = try both()
        var terms = 1
        while takeWord("or") {
            terms += 1
            guard terms <= FHIRPathExpression.depthMax else { throw error(.tooDeep) }
            node = .either(node, try both())
        }
        return node
    }

    private mutating func both() throws(FHIRPathError) -> Node {
        var node = try comparison()
        var terms = 1
        while takeWord("and") {
            terms += 1
            guard terms <= FHIRPathExpression.depthMax else { throw error(.tooDeep) }
            node = .all(node, try comparison())
        }
        return node
    }

    private mutating func comparison() throws(FHIRPathError) -> Node {
        let left = try chain()
        if take("=") { return .comparison(left, isEqual: true, try chain()) }
        if peek("!") {
            at += 1
            guard take("=") else { throw error(.unexpectedCharacter) }
            return .comparison(left, isEqual: false, try chain())
        }
        if takeWord("as") { return .call(on: left, .ofType, [.text(try typeName())]) }
        return left
    }

    // MARK: Items

    private mutating func chain() throws(FHIRPathError) -> Node {
        var node = try item()
        var parts = 0
        while true {
            parts += 1
            guard parts <= FHIRPathExpression.depthMax else { throw error(.tooDeep) }
            if take(".") {
                node = try named(on: node)
            } else if take("[") {
                guard let position = Int(try digits()) else { throw error(.unexpectedCharacter) }
                guard take("]") else { throw error(.unexpectedCharacter) }
                node = .index(of: node, position)
            } else {
                return node
            }
        }
    }

    private mutating func item() throws(FHIRPathError) -> Node {
        skipSpace()
        guard at < text.count else { throw error(.unexpectedEnd) }
        switch text[at] {
        case UInt8(ascii: "("):
            at += 1
            let node = try either()
            guard take(")") else { throw error(.unexpectedCharacter) }
            return node
        case UInt8(ascii: "'"): return .text(try quoted(UInt8(ascii: "'")))
        case 0x30...0x39, UInt8(ascii: "-"): return .number(try number())
        case UInt8(ascii: "@"):
            // A date or time: compared as FHIR writes it.
            at += 1
            if at < text.count, text[at] == UInt8(ascii: "T") { at += 1 }
            let start = at
            while at < text.count, Self.isTimeByte(text[at]) { at += 1 }
            return .text(String(decoding: text[start..<at], as: UTF8.self))
        case UInt8(ascii: "$"):
            guard takeWord("$this") else { throw error(.unexpectedCharacter) }
            return .this
        default: return try named(on: .this)
        }
    }

    private mutating func named(on node: Node) throws(FHIRPathError) -> Node {
        let start = at
        let (name, isQuoted) = try identifier()
        if !isQuoted, node == .this {
            if name == "true" { return .bool(true) }
            if name == "false" { return .bool(false) }
        }
        guard !isQuoted, take("(") else { return .member(of: node, name) }
        guard let function = FHIRPathExpression.Function(rawValue: name) else {
            at = start
            throw error(.unknownFunction)
        }
        var arguments: [Node] = []
        if !take(")") {
            repeat {
                let isType = function == .ofType || function == .as
                arguments.append(isType ? .text(try typeName()) : try either())
                guard arguments.count <= 4 else { throw error(.wrongArguments) }
            } while take(",")
            guard take(")") else { throw error(.unexpectedCharacter) }
        }
        guard function.arguments.contains(arguments.count) else { throw error(.wrongArguments) }
        return .call(on: node, function, arguments)
    }

    /// A type with or without the model's name: `Quantity`, `FHIR.Quantity`.
    private mutating func typeName() throws(FHIRPathError) -> String {
        let (name, _) = try identifier()
        guard name == "FHIR" || name == "System", take(".") else { return name }
        return try identifier().name
    }

    // MARK: Tokens

    private mutating func identifier() throws(FHIRPathError) -> (name: String, isQuoted: Bool) {
        if peek("`") { return (try quoted(UInt8(ascii: "`")), true) }
        guard let name = takeName() else { throw error(at == text.count ? .unexpectedEnd : .unexpectedCharacter) }
        return (name, false)
    }

    private mutating func digits() throws(FHIRPathError) -> String {
        guard let digits = takeDigits() else { throw error(.unexpectedCharacter) }
        return digits
    }

    private mutating func number() throws(FHIRPathError) -> String {
        let sign = take("-") ? "-" : ""
        var number = sign + (try digits())
        if at + 1 < text.count, text[at] == UInt8(ascii: "."), 0x30...0x39 ~= text[at + 1] {
            at += 1
            number += "." + (try digits())
        }
        return number
    }

    /// A string or a delimited identifier. FHIRPath N1 §4.1.2.
    private mutating func quoted(_ mark: UInt8) throws(FHIRPathError) -> String {
        at += 1
        var bytes: [UInt8] = []
        while at < text.count, text[at] != mark {
            guard text[at] == UInt8(ascii: "\\") else {
                bytes.append(text[at])
                at += 1
                continue
            }
            guard at + 1 < text.count else { throw error(.unexpectedEnd) }
            switch text[at + 1] {
            case UInt8(ascii: "n"): bytes.append(0x0A)
            case UInt8(ascii: "r"): bytes.append(0x0D)
            case UInt8(ascii: "t"): bytes.append(0x09)
            case UInt8(ascii: "f"): bytes.append(0x0C)
            case UInt8(ascii: "u"):
                guard at + 5 < text.count,
                    let code = UInt32(String(decoding: text[(at + 2)...(at + 5)], as: UTF8.self), radix: 16),
                    let scalar = Unicode.Scalar(code)
                else { throw error(.unexpectedCharacter) }
                bytes.append(contentsOf: String(Character(scalar)).utf8)
                at += 4
            default: bytes.append(text[at + 1])
            }
            at += 2
        }
        guard at < text.count else { throw error(.unexpectedEnd) }
        at += 1
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func isTimeByte(_ byte: UInt8) -> Bool {
        0x30...0x39 ~= byte || [0x2D, 0x3A, 0x2B, 0x54, 0x5A].contains(byte)
            || byte == UInt8(ascii: ".")
    }
}
