/// Values by key in two generations: when the newer one has cost as much as a generation may, it becomes the older one,
/// and what was older and not asked for since is forgotten. Holds at most `2 * costMax`.
struct Generations<Key: Hashable & Sendable, Value: Sendable>: Sendable {
    private let costMax: Int
    private let cost: @Sendable (Value) -> Int
    private var recent: [Key: Value] = [:]
    private var older: [Key: Value] = [:]
    private var recentCost = 0

    /// - Parameter cost: of a value, in the unit of `costMax`.
    init(costMax: Int, cost: @escaping @Sendable (Value) -> Int = { _ in 1 }) {
        self.costMax = costMax
        self.cost = cost
    }

    mutating func find(_ key: Key) -> Value? {
        if let value = recent[key] { return value }
        guard let value = older[key] else { return nil }
        put(value, key)
        return value
    }

    mutating func put(_ value: Value, _ key: Key) {
        recentCost += cost(value) - (recent.updateValue(value, forKey: key).map(cost) ?? 0)
        guard recentCost >= costMax else { return }
        older = recent
        recent = [:]
        recentCost = 0
    }

    mutating func remove(_ key: Key) {
        if let gone = recent.removeValue(forKey: key) { recentCost -= cost(gone) }
        older[key] = nil
    }

    mutating func removeAll() {
        recent = [:]
        older = [:]
        recentCost = 0
    }
}
