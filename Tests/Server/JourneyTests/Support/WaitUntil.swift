/// Waits for what a server does in its own time, of which nothing tells: asks again and again until it is so, and throws
/// after a while.
///
/// - Parameter what: is waited for, and what was seen meanwhile.
func waitUntil(
    _ what: @autoclosure () -> String, patience: Duration = .seconds(180), _ isSo: () async throws -> Bool
) async throws {
    let end = ContinuousClock.now + patience
    while !(try await isSo()) {
        guard ContinuousClock.now < end else { throw JourneyFailure("waited in vain: \(what())") }
        try await Task.sleep(for: .milliseconds(50))
    }
}
