/// What strangers, callers who have not proved who they are, may cost.
package struct StrangerLimits: Sendable, Hashable {
    /// Refusals of one address block in a row that are answered as such; more are answered 429.
    package var burst = 300
    /// Refusals that an address block is given back each minute.
    package var perMinute = 300
    /// Refusals of an address block that have an audit row each within an interval; further ones are counted.
    package var rowsPerAddress = 10
    /// The same of all address blocks together, and how many blocks have a sum of their own.
    package var rowsMax = 1000
    /// Seconds after which the counted ones become one row for each address block.
    package var intervalSeconds = 60
    /// Address blocks that are told apart at a time; further ones are taken for one.
    package var addressesMax = 10_000
    /// The defaults.
    package init() {}
    /// The defaults but for what one address block is given: see ``burst`` and ``perMinute``.
    package init(burst: Int, perMinute: Int) {
        self.burst = burst
        self.perMinute = perMinute
    }
}
