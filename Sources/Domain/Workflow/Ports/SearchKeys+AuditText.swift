import Access

extension SearchKeys {
    /// The keys as text for the audit trail, in a fixed order.
    package var auditText: String {
        let keys = SearchKey.allCases.compactMap { key in
            matches[key].map { (name: key.rawValue, value: $0.auditText) }
        }
        let times = periods.map { period in
            let from = period.from.map { $0.date + $0.time } ?? ""
            let to = period.to.map { $0.date + $0.time } ?? ""
            return (name: "\(period.date.rawValue)+\(period.time.rawValue)", value: "\(from)-\(to)")
        }
        return AuditRecord.words(of: keys + times)
    }
}

extension KeyMatch {
    fileprivate var auditText: String {
        switch self {
        case .exact(let text), .wildcard(let text), .name(let text), .similarName(let text): text
        case .dates(let from, let to), .times(let from, let to):
            from == to ? from ?? "" : "\(from ?? "")-\(to ?? "")"
        case .anyOf(let all): all.map(\.auditText).joined(separator: "\\")
        case .empty: "\"\""
        }
    }
}
