import DICOMData
import Workflow

/// Which instances go to which destinations.
package struct RoutingRule: Sendable, Equatable {
    /// That some attribute of the data set itself has a value that some pattern fits.
    package struct Condition: Sendable, Equatable {
        package let tags: [Tag]
        package let patterns: [TextPattern]

        package init(_ tags: [Tag], _ patterns: [TextPattern]) {
            self.tags = tags
            self.patterns = patterns
        }

        func fits(_ dataSet: DataSet) -> Bool {
            tags.contains { tag in
                dataSet.strings(tag).contains { value in patterns.contains { $0.fits(value) } }
            }
        }
    }

    package var name: String
    /// Of AE titles and clients, one must fit the sender; empty for whoever sends.
    package var senders: [TextPattern]
    /// Of this server's AE titles, one must fit that which was called; empty for any, and for what came by HTTP.
    package var called: [TextPattern]
    /// All must fit.
    package var conditions: [Condition]
    /// nil where the order does not matter.
    package var order: OrderPattern?
    /// Names of destinations.
    package var destinations: [String]

    package init(
        name: String, senders: [TextPattern] = [], called: [TextPattern] = [], conditions: [Condition] = [],
        order: OrderPattern? = nil, destinations: [String]
    ) {
        self.name = name
        self.senders = senders
        self.called = called
        self.conditions = conditions
        self.order = order
        self.destinations = destinations
    }

    /// Whether an instance that was stored to an AE title is one of the rule's; nil for one that came under none.
    func fits(called title: String?) -> Bool {
        called.isEmpty || title.map { title in called.contains { $0.fits(title) } } ?? false
    }

    /// Whether an instance is one of the rule's, whatever its order and the title that was called.
    func fits(_ dataSet: DataSet, from sender: String?) -> Bool {
        (senders.isEmpty || sender.map { sender in senders.contains { $0.fits(sender) } } ?? false)
            && conditions.allSatisfy { $0.fits(dataSet) }
    }
}
