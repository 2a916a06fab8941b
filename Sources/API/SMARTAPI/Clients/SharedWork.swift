/// Work that many ask for at the same time and one of them does: by a key, such as the URL that is fetched.
actor SharedWork<Key: Hashable & Sendable> {
    /// Those who wait for work under way, by its key.
    private var waiting: [Key: [CheckedContinuation<Void, Never>]] = [:]

    /// What the body brings. Nil for who came while another's body for the same key was under way, once that has ended: they
    /// look for themselves what became of it.
    ///
    /// A body begins by looking whether it is needed still: the one before may have ended a moment ago.
    func run<Value: Sendable>(_ key: Key, _ body: @Sendable () async throws -> Value) async rethrows -> Value? {
        guard waiting[key] == nil else {
            await withCheckedContinuation { waiting[key]?.append($0) }
            return nil
        }
        waiting[key] = []
        defer { for continuation in waiting.removeValue(forKey: key) ?? [] { continuation.resume() } }
        return try await body()
    }
}
