extension SearchKeys {
    /// The keys as text for the audit trail, in a fixed order.
    package var auditText: String {
        var parts = SearchKey.allCases.compactMap { key in
            matches[key].map { "\(key.rawValue)=\($0.auditText)" }
        }
        parts += periods.map { period in
            let from = period.from.map { $0.date + $0.time } ?? ""
            let to = period.to.map { $0.date + $0.time } ?? ""
            return "\(period.date.rawValue)+\(period.time.rawValue)=\(from)-\(to)"
        }
        return parts.joined(separator: "&")
    }
}

extension KeyMatch {
    fileprivate var auditText: String {
        switch self {
        case .exact(let text), .wildcard(let text), .name(let text): text
        case .dates(let from, let to), .times(let from, let to):
            from == to ? from ?? "" : "\(from ?? "")-\(to ?? "")"
        case .anyOf(let all): all.map(\.auditText).joined(separator: "\\")
        case .empty: "\"\""
        }
    }
}
