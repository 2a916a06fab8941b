import Workflow

/// Workitems, and who is told of them.
extension MemoryUnit: WorkitemUnit {
    package func workitem(_ sopInstanceUID: String) throws -> Workitem? { state.workitems[sopInstanceUID] }
    package func workitems(
        _ selection: WorkitemSelection, after place: WorkitemPlace?, limit: Int
    ) throws -> [Workitem] {
        let found = state.workitems.values.filter(selection.contains).filter { workitem in
            place.map { $0 < WorkitemPlace(workitem) } ?? true
        }
        return Array(found.sorted { WorkitemPlace($0) < WorkitemPlace($1) }.prefix(limit))
    }
    package func save(_ workitem: Workitem) throws { state.workitems[workitem.sopInstanceUID] = workitem }

    package func subscribers(of sopInstanceUID: String) throws -> [WorkitemSubscriber] {
        (state.workitemSubscribers[sopInstanceUID] ?? [:]).sorted { $0.key < $1.key }.map {
            WorkitemSubscriber(receiver: $0.key, state: $0.value)
        }
    }
    package func save(_ subscriber: WorkitemSubscriber, of sopInstanceUID: String) throws {
        state.workitemSubscribers[sopInstanceUID, default: [:]][subscriber.receiver] =
            subscriber.state == .none ? nil : subscriber.state
    }
    package func removeSubscriptions(of receiver: String) throws {
        for uid in state.workitemSubscribers.keys { state.workitemSubscribers[uid]?[receiver] = nil }
        state.worklistSubscriptions.removeAll { $0.receiver == receiver }
    }
    package func worklistSubscriptions() throws -> [WorklistSubscription] { state.worklistSubscriptions }
    package func save(_ subscription: WorklistSubscription) throws {
        MemoryState.put(subscription, in: &state.worklistSubscriptions) {
            $0.receiver == subscription.receiver && ($0.filter == nil) == (subscription.filter == nil)
        }
    }
    package func removeWorklistSubscription(of receiver: String, isFiltered: Bool) throws {
        state.worklistSubscriptions.removeAll { $0.receiver == receiver && ($0.filter != nil) == isFiltered }
    }
    package func subscribedReceivers() throws -> [String] {
        Set(state.worklistSubscriptions.map(\.receiver) + state.workitemSubscribers.values.flatMap(\.keys)).sorted()
    }
    package func note(_ receiver: String, of client: String) throws {
        state.workitemReceivers[receiver] = client
    }
    package func isSubscribed(_ receiver: String) throws -> Bool { try subscribedReceivers().contains(receiver) }
    package func receivers(of client: String?) throws -> Int {
        let subscribed = Set(try subscribedReceivers())
        return state.workitemReceivers.count(where: {
            (client == nil || $0.value == client) && subscribed.contains($0.key)
        })
    }

    package func peers(offering service: Peer.Service) throws -> [Peer] {
        state.peers.filter { $0.offers.contains(service) }
    }
}
