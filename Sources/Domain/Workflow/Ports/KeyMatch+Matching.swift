extension KeyMatch {
    /// What is absent matches.
    package var admitsEmpty: Bool {
        switch self {
        case .empty: true
        case .anyOf(let all): all.contains(where: \.admitsEmpty)
        default: false
        }
    }

    /// Whether a text matches, as it would in the index.
    ///
    /// - Parameter text: one value that is not empty; of a day its digits, of a time of the day TM text in full, of a
    ///   whole number its digits.
    package func matches(_ text: String) -> Bool {
        switch self {
        case .exact(let value): value == text
        case .wildcard(let pattern): Self.matches(text, pattern)
        case .name(let key): Self.matches(name: text, key)
        case .similarName(let key): NameWords.matches(text, key)
        case .dates(let from, let to), .times(let from, let to): (from ?? text) <= text && text <= (to ?? text)
        case .anyOf(let all): all.contains { $0.matches(text) }
        case .empty: false
        }
    }

    private static func matches(name: String, _ key: String) -> Bool {
        let patterns = FoldedName.patterns(key)
        return FoldedName.rows(name).contains { row in patterns.contains { matches(row, $0) } }
    }

    /// Whether a text is what a pattern with wildcards stands for. §C.2.2.2.4.
    static func matches(_ text: String, _ pattern: String) -> Bool {
        matches(Array(text.unicodeScalars)[...], Array(pattern.unicodeScalars)[...])
    }

    /// Linear in both lengths but for one place to go back to, so that no pattern is expensive. §C.2.2.2.4.
    private static func matches(_ text: ArraySlice<Unicode.Scalar>, _ pattern: ArraySlice<Unicode.Scalar>) -> Bool {
        var (text, pattern) = (text, pattern)
        var retry: (text: ArraySlice<Unicode.Scalar>, pattern: ArraySlice<Unicode.Scalar>)?
        while let scalar = text.first {
            if pattern.first == "*" {
                pattern = pattern.dropFirst()
                retry = (text, pattern)
            } else if pattern.first == "?" || pattern.first == scalar {
                (text, pattern) = (text.dropFirst(), pattern.dropFirst())
            } else if let back = retry {
                (text, pattern) = (back.text.dropFirst(), back.pattern)
                retry = (text, pattern)
            } else {
                return false
            }
        }
        return pattern.allSatisfy { $0 == "*" }
    }
}

extension SearchPeriod {
    /// Whether a time of a day lies in the period; both in the form of ``KeyMatch/matches(_:)``.
    package func contains(_ moment: Moment) -> Bool {
        func isOrdered(_ a: Moment, _ b: Moment) -> Bool { (a.date, a.time) <= (b.date, b.time) }
        return isOrdered(from ?? moment, moment) && isOrdered(moment, to ?? moment)
    }
}
