import DICOMData
import DICOMNetwork
import DIMSEAdapter
import Foundation
import Synchronization

/// The doors of a hospital, each asked one after the other, alone and beside searches that read as much as they may. The
/// two take turns, so that both meet the same weather of the machine.
struct BesideLoad {
    /// Heavy searches at a time, each on a connection of its own, all of one client.
    static let heavy = 8
    /// Turns of both.
    private static let turns = 5
    /// Answers of each door in one turn.
    private static let count = 200

    /// The times of one door in milliseconds.
    struct Door {
        let name: String
        var alone: [Double] = []
        var beside: [Double] = []
    }

    /// Tells the heavy searches that the doors have been measured.
    private final class Ending: Sendable {
        let isSet = Atomic(false)
    }

    let port: (http: Int, dimse: Int, mllp: Int)
    let token: String

    func run() async throws -> [Door] {
        var doors = [
            Door(name: "MLLP ACK"), Door(name: "C-STORE of 528 KB"), Door(name: "FHIR read"), Door(name: "ready"),
        ]
        for turn in 0..<Self.turns {
            let alone = try await once(first: 1 + 2 * turn * Self.count)
            for index in doors.indices { doors[index].alone += alone[index] }
            let beside = try await besideSearches { try await once(first: 1 + (2 * turn + 1) * Self.count) }
            for index in doors.indices { doors[index].beside += beside[index] }
        }
        return doors
    }

    private func besideSearches(
        _ measure: @escaping @Sendable () async throws -> [[Double]]
    ) async throws -> [[Double]] {
        let ending = Ending()
        let (port, token) = (port.http, token)
        return try await withThrowingTaskGroup(of: [[Double]]?.self) { group in
            group.addTask {
                try await ThreadLoad.run(Self.heavy) { _ in
                    let connection = try HTTPConnection(port: port)
                    while !ending.isSet.load(ordering: .relaxed) {
                        // Looks at every name, in an order that no index has, and finds nothing.
                        _ = try connection.send(
                            "GET",
                            "/fhir/Patient?name:contains=nobody%20at%20all&address:contains=nowhere&_sort=-birthdate",
                            headers: ["Authorization: Bearer \(token)"])
                    }
                }
                return nil
            }
            group.addTask {
                defer { ending.isSet.store(true, ordering: .relaxed) }
                return try await measure()
            }
            var found: [[Double]] = []
            while let next = try await group.next() { if let next { found = next } }
            return found
        }
    }

    /// Each door in turn. `first`: the number of the first object and message; none is used twice.
    private func once(first: Int) async throws -> [[Double]] {
        [
            try messages(first), try await objects(first), try reads("/fhir/Patient/r7"),
            try reads("/health/ready"),
        ]
    }

    private func timed(_ work: () throws -> Void) rethrows -> Double {
        let begin = ContinuousClock.now
        try work()
        return (ContinuousClock.now - begin).seconds * 1_000
    }

    private func messages(_ first: Int) throws -> [Double] {
        let socket = try BlockingSocket(port: port.mllp)
        return try (first..<(first + Self.count)).map { number in
            try timed {
                try socket.send([0x0B] + MessageLoad.message(number) + [0x1C, 0x0D])
                let answer = try socket.read(through: [0x1C, 0x0D])
                guard answer.firstRange(of: Array("MSA|AA|B\(number)".utf8)) != nil else {
                    throw BenchFailure("no AA: \(String(decoding: answer, as: UTF8.self))")
                }
            }
        }
    }

    private func objects(_ first: Int) async throws -> [Double] {
        guard let called = AETitle("HILUM"), let calling = AETitle("BENCH") else { throw BenchFailure("AE title") }
        let template = try CTObject()
        let syntax = TransferSyntax.explicitVRLittleEndian.uid
        let association = try await SCUAssociation.open(
            SCUAssociation.Destination(
                host: "127.0.0.1", port: port.dimse, calledAETitle: called, callingAETitle: calling),
            contexts: [(abstractSyntax: UID.ctImageStorage, transferSyntaxes: [syntax])])
        var times: [Double] = []
        var dataSet = template.dataSet
        for number in first..<(first + Self.count) {
            template.become(number, in: &dataSet)
            let begin = ContinuousClock.now
            let status = try await association.store(
                sopClassUID: UID.ctImageStorage, sopInstanceUID: CTObject.sopInstanceUID(number),
                transferSyntax: syntax,
                dataSet: dataSet)
            times.append((ContinuousClock.now - begin).seconds * 1_000)
            guard status == .success else { throw BenchFailure("C-STORE was answered with \(status)") }
        }
        try await association.release()
        return times
    }

    private func reads(_ path: String) throws -> [Double] {
        let connection = try HTTPConnection(port: port.http)
        return try (0..<Self.count).map { _ in
            try timed {
                let reply = try connection.send("GET", path, headers: ["Authorization: Bearer \(token)"])
                guard reply.status == 200 else { throw BenchFailure("\(path) answered \(reply.status)") }
            }
        }
    }
}
