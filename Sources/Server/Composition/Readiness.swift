import Foundation
import Synchronization

/// Knows which listeners are up and whether the server is on its way down; says once, on standard output and in
/// `run/endpoints.json`, where it answers.
final class Readiness: Sendable {
    enum Listener: String, Sendable, CaseIterable { case http, dimse, mllp }

    /// What a client needs to connect.
    struct Endpoints: Codable, Sendable {
        struct HL7: Codable, Sendable {
            var host: String
            var port: Int
            var tls: Bool
        }
        struct DICOM: Codable, Sendable {
            var host: String
            var port: Int
            var ae: String
            var tls: Bool
        }
        var ready = true
        /// The base of all HTTP APIs, without a path.
        var http: String
        var dimse: DICOM
        var mllp: HL7
    }

    private struct State {
        var up: Set<Listener> = []
        var isDraining = false
    }

    private let endpoints: Endpoints
    private let file: String
    private let state = Mutex(State())

    init(_ endpoints: Endpoints, file: String) {
        self.endpoints = endpoints
        self.file = file
    }

    var isReady: Bool { state.withLock { $0.up.count == Listener.allCases.count && !$0.isDraining } }

    var isDraining: Bool { state.withLock { $0.isDraining } }

    func drain() { state.withLock { $0.isDraining = true } }

    /// Notes that a listener accepts connections; announces the server when it was the last one.
    func isUp(_ listener: Listener) {
        let isComplete = state.withLock { state in
            state.up.insert(listener).inserted && state.up.count == Listener.allCases.count
        }
        guard isComplete else { return }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        guard let bytes = try? encoder.encode(endpoints) else { return }
        let line = bytes + Data("\n".utf8)
        try? line.write(to: URL(fileURLWithPath: file), options: .atomic)
        FileHandle.standardOutput.write(line)
    }
}
