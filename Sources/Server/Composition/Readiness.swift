import Admission
import Foundation
import Synchronization

/// Knows which listeners are up and whether the server is on its way down; says once, on standard output and in
/// `run/endpoints.json`, where it answers.
final class Readiness: Sendable {
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
        /// One of all doors.
        struct Door: Codable, Sendable {
            var `protocol`: String
            var host: String
            var port: Int
            /// `required`, `optional` or `off`.
            var tls: String
        }
        var ready = true
        /// The base of all HTTP APIs, without a path.
        var http: String
        /// The first door of each protocol; nil for one without.
        var dimse: DICOM?
        var mllp: HL7?
        /// All, in the order of the configuration.
        var doors: [Door]

        init(_ configuration: ServerConfiguration) {
            http = configuration.publicURL
            dimse = configuration.door(.dimse).map { door in
                DICOM(host: door.host, port: door.port, ae: door.titles.first?.title ?? "", tls: door.tls != .off)
            }
            mllp = configuration.door(.mllp).map { HL7(host: $0.host, port: $0.port, tls: $0.tls != .off) }
            doors = configuration.doors.map {
                Door(protocol: $0.kind.rawValue, host: $0.host, port: $0.port, tls: $0.tls.rawValue)
            }
        }
    }

    private struct State {
        var up: Set<Int> = []
        var isDraining = false
    }

    private let endpoints: Endpoints
    private let file: String
    private let state = Mutex(State())

    init(_ endpoints: Endpoints, file: String) {
        self.endpoints = endpoints
        self.file = file
    }

    var isReady: Bool { state.withLock { $0.up.count == endpoints.doors.count && !$0.isDraining } }

    var isDraining: Bool { state.withLock { $0.isDraining } }

    func drain() { state.withLock { $0.isDraining = true } }

    /// Notes that a door, by its place among all, accepts connections; announces the server when it was the last one.
    func isUp(_ door: Int) {
        let isComplete = state.withLock { state in
            state.up.insert(door).inserted && state.up.count == endpoints.doors.count
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
