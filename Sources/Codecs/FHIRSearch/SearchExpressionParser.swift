/// Recursive descent over the bytes of one expression.
struct SearchExpressionParser: PathScanner {
    /// The longest official R4 expression is near 3,000 bytes.
    static let bytesMax = 8192
    static let depthMax = 8

    let text: [UInt8]
    var at = 0
    private var depth = 0

    init(_ text: String) { self.text = Array(text.utf8) }

    /// The whole text as one union.
    mutating func expression() throws(SearchExpressionError) -> [SearchExpression.Alternative] {
        guard text.count <= Self.bytesMax else { throw error(.tooLong) }
        let found = try union()
        guard at == text.count else { throw error(.unexpectedCharacter) }
        return found
    }

    private func error(_ reason: SearchExpressionError.Reason) -> SearchExpressionError {
        SearchExpressionError(
            reason: at >= text.count && reason == .unexpectedCharacter ? .unexpectedEnd : reason, offset: at)
    }

    // MARK: Grammar

    private mutating func union() throws(SearchExpressionError) -> [SearchExpression.Alternative] {
        depth += 1
        defer { depth -= 1 }
        guard depth <= Self.depthMax else { throw error(.tooDeep) }
        var found = try conjunction()
        while take("|") { found += try conjunction() }
        return found
    }

    private mutating func conjunction() throws(SearchExpressionError) -> [SearchExpression.Alternative] {
        let first = try comparison()
        guard case .terms(var terms) = first else {
            guard case .paths(let paths) = first else { return [] }
            return paths
        }
        while takeWord("and") {
            guard case .terms(let more) = try comparison() else { throw error(.mixedBoolean) }
            terms += more
        }
        return [.truth(terms)]
    }

    private enum Operand {
        case paths([SearchExpression.Alternative])
        case terms([SearchExpression.Term])
    }

    private mutating func comparison() throws(SearchExpressionError) -> Operand {
        var operand = try postfix()
        if takeWord("as") || takeWord("is") {
            let type = try identifier()
            operand = try append(.ofType(type), to: operand)
        }
        guard peek("!") || peek("=") else { return operand }
        let differs = take("!")
        try expect("=")
        let literal = try literal()
        return .terms([try term(operand, differs ? .differs(literal) : .equals(literal))])
    }

    private func term(_ operand: Operand, _ test: SearchExpression.Term.Test) throws(SearchExpressionError)
        -> SearchExpression.Term
    {
        guard case .paths(let paths) = operand, paths.count == 1, case .steps(let steps)? = paths.first else {
            throw error(.mixedBoolean)
        }
        return SearchExpression.Term(steps: steps, test: test)
    }

    private func append(_ step: SearchExpression.Step, to operand: Operand) throws(SearchExpressionError) -> Operand {
        guard case .paths(let paths) = operand else { throw error(.mixedBoolean) }
        var longer: [SearchExpression.Alternative] = []
        for path in paths {
            guard case .steps(let steps) = path else { throw error(.mixedBoolean) }
            longer.append(.steps(steps + [step]))
        }
        return .paths(longer)
    }

    private mutating func postfix() throws(SearchExpressionError) -> Operand {
        var operand: Operand
        if take("(") {
            operand = .paths(try union())
            try expect(")")
        } else if take("%") {
            guard try identifier() == "resource" else { throw error(.unknownFunction) }
            operand = .paths([.steps([.resource])])
        } else {
            let name = try identifier()
            operand = .paths([.steps(try invocation(name).map { [$0] } ?? [])])
        }
        while true {
            if take("[") {
                operand = try append(.index(try number()), to: operand)
                try expect("]")
            } else if take(".") {
                let name = try identifier()
                if name == "exists", take("(") {
                    try expect(")")
                    return .terms([try term(operand, .exists)])
                }
                if let step = try invocation(name) { operand = try append(step, to: operand) }
                if name == "extension", case .paths(let paths) = operand, case .steps(let steps)? = paths.first,
                    let url = pendingExtensionURL
                {
                    pendingExtensionURL = nil
                    operand = .paths([.steps(steps + [.filter(.hasExtension(url))])])
                }
            } else {
                return operand
            }
        }
    }

    /// The url of an `extension('…')` call just read: it becomes a filter after the element step.
    private var pendingExtensionURL: String?

    /// A member, or one of the functions of the subset.
    private mutating func invocation(_ name: String) throws(SearchExpressionError) -> SearchExpression.Step? {
        guard take("(") else { return .element(name) }
        let step: SearchExpression.Step
        switch name {
        case "as", "ofType": step = .ofType(try identifier())
        case "where": step = .filter(try criterion())
        case "extension":
            pendingExtensionURL = try string()
            step = .element("extension")
        default: throw error(.unknownFunction)
        }
        try expect(")")
        return step
    }

    private mutating func criterion() throws(SearchExpressionError) -> SearchExpression.Filter {
        let name = try identifier()
        if take("(") {
            switch name {
            case "resolve":
                try expect(")")
                guard takeWord("is") else { throw error(.unexpectedCharacter) }
                return .resolvesTo(try identifier())
            case "hasExtension":
                let url = try string()
                try expect(")")
                return .hasExtension(url)
            default: throw error(.unknownFunction)
            }
        }
        try expect("=")
        return .equals(name, try string())
    }

    // MARK: Tokens

    private mutating func expect(_ mark: Character) throws(SearchExpressionError) {
        guard take(mark) else { throw error(.unexpectedCharacter) }
    }

    private mutating func identifier() throws(SearchExpressionError) -> String {
        guard let name = takeName() else { throw error(.unexpectedCharacter) }
        return name
    }

    private mutating func number() throws(SearchExpressionError) -> Int {
        guard let value = takeDigits().flatMap({ Int($0) }) else { throw error(.unexpectedCharacter) }
        return value
    }

    private mutating func string() throws(SearchExpressionError) -> String {
        try expect("'")
        let start = at
        while at < text.count, text[at] != 0x27 { at += 1 }
        guard at < text.count else { throw error(.unexpectedEnd) }
        at += 1
        return String(decoding: text[start..<at - 1], as: UTF8.self)
    }

    private mutating func literal() throws(SearchExpressionError) -> String {
        peek("'") ? try string() : try identifier()
    }
}
