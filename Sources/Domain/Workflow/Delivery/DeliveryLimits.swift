/// What one server delivers at a time: `delivery` of the configuration.
package struct DeliveryLimits: Sendable, Hashable {
    /// Deliveries at a time, over all destinations.
    package var places = 32
    /// How long an attempt holds one of the places: destinations that let it wait longer do not keep others from theirs.
    package var patience = Duration.seconds(5)
    /// Deliveries at a time beyond the places, while as many destinations let theirs wait.
    package var waitersMax = 96
    /// How long a lease lasts; it is renewed while its delivery goes on, and taken over by others this long after its
    /// owner has died.
    package var leaseSeconds: Int64 = 60
    /// Entries of one ordering key in a row before the others have their turn.
    package var turn = 16
    /// Between two looks at the outbox that nobody asked for.
    package var tickSeconds: Int64 = 15
    /// How long deliveries under way may take once the server stops.
    package var drainSeconds: Int64 = 5

    package init() {}
}
