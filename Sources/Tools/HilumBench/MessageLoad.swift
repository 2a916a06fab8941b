import Foundation

/// HL7 v2 messages over MLLP on many connections from one thread: on each, the next message when the ACK is there.
struct MessageLoad: Sendable {
    static let connections = 64
    /// Connections from one address, as of a hospital with some senders: Hilum takes ten.
    static let connectionsPerAddress = 8
    /// Messages of one measurement at most.
    static let messagesMax = 100_000
    /// Patients that the messages are about.
    static let patients = 1000

    /// ADT^A08 of one of the patients. HL7 v2.5.1 §3.3.8.
    static func message(_ number: Int) -> [UInt8] {
        let patient = number % patients
        let text =
            "MSH|^~\\&|BENCH|HOSP|HILUM|HILUM|20260102101500||ADT^A08^ADT_A01|B\(number)|P|2.5.1\r"
            + "EVN|A08|20260102101500\r"
            + "PID|1||B\(patient)^^^HOSP^MR||Bench^Marta^\(number % 97)||19600504|F|||Street 1^^Town^^0001^NO||55501234\r"
            + "PV1|1|O|CT^1^1^HOSP||||1^Reader^Rita|2^Sender^Sam|||||||||||V\(patient)\r"
        return Array(text.utf8)
    }

    private struct Line {
        let socket: BlockingSocket
        var received: [UInt8] = []
        var expected = ""
    }

    /// Messages acknowledged with AA a second. Throws ``BenchFailure`` for any other answer.
    ///
    /// - Parameters:
    ///   - limit: messages at most.
    ///   - message: that of a number, whose MSH-10 is `B` and the number.
    static func run(
        port: Int, first: Int, seconds: Double, limit: Int = messagesMax, message: (Int) -> [UInt8] = { message($0) }
    ) throws -> Double {
        var lines = try (0..<connections).map { index in
            Line(socket: try BlockingSocket(port: port, from: UInt8(2 + index / connectionsPerAddress)))
        }
        var waits = lines.map { pollfd(fd: $0.socket.descriptor, events: Int16(POLLIN), revents: 0) }
        let ticket = LoadTicket(seconds: seconds, first: first, limit: limit)
        var open = 0
        func sendNext(_ index: Int) throws {
            guard let number = ticket.next() else { return }
            lines[index].expected = "MSA|AA|B\(number)"
            lines[index].received.removeAll(keepingCapacity: true)
            try lines[index].socket.send([0x0B] + message(number) + [0x1C, 0x0D])
            open += 1
        }
        for index in lines.indices { try sendNext(index) }
        var piece = [UInt8](repeating: 0, count: 8192)
        while open > 0 {
            guard poll(&waits, nfds_t(waits.count), 10_000) > 0 else { throw BenchFailure("no ACK for ten seconds") }
            for index in waits.indices where waits[index].revents != 0 {
                let count = read(waits[index].fd, &piece, piece.count)
                guard count > 0 else { throw BenchFailure("the MLLP peer closed") }
                lines[index].received += piece[..<count]
                guard lines[index].received.suffix(2) == [0x1C, 0x0D] else { continue }
                let answer = lines[index].received
                guard answer.firstRange(of: Array(lines[index].expected.utf8)) != nil else {
                    throw BenchFailure("\(lines[index].expected) was due: \(String(decoding: answer, as: UTF8.self))")
                }
                open -= 1
                try sendNext(index)
            }
        }
        return ticket.rate()
    }
}
