/// That an instance is to go to a destination, as far as the instance tells: what it is ordered as is known once it is
/// registered.
package struct InstanceRoute: Sendable, Hashable {
    /// The name of the destination.
    package var destination: String
    /// One of them must fit the order that the instance's series is matched with; empty where the order does not
    /// matter.
    package var orders: [OrderPattern]

    package init(destination: String, orders: [OrderPattern] = []) {
        self.destination = destination
        self.orders = orders
    }

    /// - Parameter order: that the series is matched with; nil for none.
    package func takes(_ order: ImagingOrder?) -> Bool {
        orders.isEmpty || order.map { order in orders.contains { $0.fits(order) } } ?? false
    }
}

/// What an order must say.
package struct OrderPattern: Sendable, Hashable {
    /// What of an order can be asked for.
    package enum Attribute: String, Sendable, Hashable, CaseIterable {
        /// `routine`, `urgent`, `asap`, `stat`.
        case priority
        /// A code of what was asked for.
        case procedureCode = "procedure-code"
        /// What was asked for, in words.
        case procedure
        case modality
        /// Station AE title of a step.
        case station
        /// Where a step is done.
        case location
    }

    /// For each attribute that is asked for, patterns of which one must fit one of its values.
    package var patterns: [Attribute: [TextPattern]]

    package init(_ patterns: [Attribute: [TextPattern]]) { self.patterns = patterns }

    package func fits(_ order: ImagingOrder) -> Bool {
        patterns.allSatisfy { attribute, patterns in
            let values = Self.values(attribute, of: order)
            return patterns.contains { pattern in values.contains(where: pattern.fits) }
        }
    }

    private static func values(_ attribute: Attribute, of order: ImagingOrder) -> [String] {
        switch attribute {
        case .priority: [order.priority?.rawValue].compactMap(\.self)
        case .procedureCode: order.code.codings.map(\.code)
        case .procedure: [order.code.text].compactMap(\.self) + order.code.codings.compactMap(\.display)
        case .modality: [order.modality].compactMap(\.self) + order.steps.compactMap(\.modality)
        case .station: order.steps.compactMap(\.stationAETitle)
        case .location: order.steps.compactMap(\.location)
        }
    }
}

/// A text with `*` for any characters and `?` for one, in any case of letters.
package struct TextPattern: Sendable, Hashable {
    package let text: String
    private let match: KeyMatch

    package init(_ text: String) {
        self.text = text
        match = .wildcard(text.lowercased())
    }

    /// Costs both lengths at most.
    package func fits(_ value: String) -> Bool { match.matches(value.lowercased()) }
}
