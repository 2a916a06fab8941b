import Foundation

/// Tells the story on standard output, a line at a time and at once.
struct DemoNarrator: Sendable {
    func line(_ text: String = "") {
        FileHandle.standardOutput.write(Data((text + "\n").utf8))
    }

    /// The heading of a stage.
    func stage(_ number: Int, _ title: String) {
        line()
        line("\(number)  \(title)")
    }

    /// One thing that happened, with how long it took when that says something.
    func fact(_ text: String, _ time: Duration? = nil) {
        line("     " + text + (time.map { "  (\(Self.text($0)))" } ?? ""))
    }

    /// Milliseconds below ten seconds, else seconds.
    static func text(_ time: Duration) -> String {
        let milliseconds = Double(time.components.seconds) * 1e3 + Double(time.components.attoseconds) / 1e15
        if milliseconds < 100 { return "\((milliseconds * 10).rounded() / 10) ms" }
        if milliseconds < 10_000 { return "\(Int(milliseconds.rounded())) ms" }
        return "\((milliseconds / 100).rounded() / 10) s"
    }

    /// Megabytes and megabytes a second.
    static func rate(bytes: Int, in time: Duration) -> String {
        let seconds = Double(time.components.seconds) + Double(time.components.attoseconds) / 1e18
        let megabytes = Double(bytes) / 1e6
        return "\((megabytes * 10).rounded() / 10) MB, \(Int((megabytes / max(seconds, 1e-6)).rounded())) MB/s"
    }

    /// Runs a piece of the story and says how long it took.
    static func timed<Value>(_ body: () async throws -> Value) async rethrows -> (Value, Duration) {
        let clock = ContinuousClock()
        let begin = clock.now
        let value = try await body()
        return (value, clock.now - begin)
    }
}

/// An answer that is not what the story needs, in a sentence.
struct DemoFailure: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }

    static func require(_ condition: Bool, _ text: @autoclosure () -> String) throws {
        guard condition else { throw DemoFailure(text()) }
    }

    static func unwrap<Value>(_ value: Value?, _ text: @autoclosure () -> String) throws -> Value {
        guard let value else { throw DemoFailure(text()) }
        return value
    }
}
