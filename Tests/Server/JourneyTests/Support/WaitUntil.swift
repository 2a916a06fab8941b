/// Waits for what another process does, which tells nobody when it is done; throws ``JourneyFailure`` after a minute.
func waitUntil(_ what: String, _ condition: () async throws -> Bool) async throws {
    let end = ContinuousClock.now + .seconds(60)
    while !(try await condition()) {
        guard ContinuousClock.now < end else { throw JourneyFailure("waited in vain: \(what)") }
        try await Task.sleep(for: .milliseconds(50))
    }
}
