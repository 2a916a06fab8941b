import DICOMData
import Workflow

/// The routing rules of a site, and what keeps instances from going round.
package struct RoutingTable: Sendable, Equatable {
    /// What a rule does with an instance.
    package struct Finding: Sendable, Equatable {
        package enum Verdict: String, Sendable, Equatable {
            case sent
            /// The sender is the destination.
            case cameFromThere = "came-from-there"
            /// It was changed and passed on so often that it seems to go round.
            case tooManyHops = "too-many-hops"
            /// The order that its series is matched with is none that the rule asks for, or there is none.
            case otherOrder = "other-order"
            /// The rule asks for the AE title that was called, and that is not known any more.
            case titleNotKnown = "title-not-known"
        }
        package let rule: String
        package let destination: String
        package let verdict: Verdict
    }

    package var rules: [RoutingRule]
    /// Who stands for a destination as a sender: AE titles and client ids, by the name of the destination. What came
    /// from one of them is not sent to it.
    package var senders: [String: Set<String>]
    /// How often an object may have been changed by systems like this one to be passed on once more. What is passed on
    /// unchanged ends where it is known already.
    package var hopsMax: Int

    package init(rules: [RoutingRule] = [], senders: [String: Set<String>] = [:], hopsMax: Int = 4) {
        self.rules = rules
        self.senders = senders
        self.hopsMax = hopsMax
    }

    /// Where an instance goes: each destination once, in the order of the rules.
    /// - Parameter title: the AE title of this server to which it was stored; nil for what came by HTTP.
    package func routes(of dataSet: DataSet, from sender: String?, called title: String? = nil) -> [InstanceRoute] {
        guard !rules.isEmpty, PassingOn.hops(dataSet) < hopsMax else { return [] }
        var routes: [InstanceRoute] = []
        for rule in rules where rule.fits(called: title) && rule.fits(dataSet, from: sender) {
            for name in rule.destinations where !isFrom(sender, name) {
                let orders = rule.order.map { [$0] } ?? []
                guard let index = routes.firstIndex(where: { $0.destination == name }) else {
                    routes.append(InstanceRoute(destination: name, orders: orders))
                    continue
                }
                // One rule that asks for no order is enough.
                let isAny = routes[index].orders.isEmpty || orders.isEmpty
                routes[index].orders = isAny ? [] : routes[index].orders + orders
            }
        }
        return routes
    }

    /// What each rule that an instance fits does with it, for an operator.
    /// - Parameter title: the AE title to which it was stored; nil where that is not known.
    package func findings(
        of dataSet: DataSet, from sender: String?, called title: String? = nil, order: ImagingOrder?
    ) -> [Finding] {
        let isOld = PassingOn.hops(dataSet) >= hopsMax
        let fitting = rules.filter { (title == nil || $0.fits(called: title)) && $0.fits(dataSet, from: sender) }
        return fitting.flatMap { rule in
            rule.destinations.map { name in
                let verdict: Finding.Verdict =
                    if isFrom(sender, name) {
                        .cameFromThere
                    } else if isOld {
                        .tooManyHops
                    } else if !rule.fits(called: title) {
                        .titleNotKnown
                    } else if let pattern = rule.order, !(order.map(pattern.fits) ?? false) {
                        .otherOrder
                    } else {
                        .sent
                    }
                return Finding(rule: rule.name, destination: name, verdict: verdict)
            }
        }
    }

    private func isFrom(_ sender: String?, _ destination: String) -> Bool {
        sender.map { senders[destination]?.contains($0) ?? false } ?? false
    }
}
