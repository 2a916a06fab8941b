import Foundation

/// Reports that leave: as many as are put into the outbox while their receiver is silent, and how fast it gets them then.
struct OutgoingLoad: Sendable {
    /// Connections to the receiver: messages under way at a time.
    static let lanes = 8
    /// Reports of one round, each of a patient of its own: none waits for another.
    static let reports = 2_000

    let receiver: ReportReceiver

    /// ORU^R01 of an order that nobody announced. HL7 v2.5.1 §7.3.1.
    static func message(_ number: Int) -> [UInt8] {
        let lines = (1...6).map {
            "OBX|\($0)|TX|18782-3^Report^LN||Line \($0) of a report of ordinary length.||||||F\r"
        }
        let text =
            "MSH|^~\\&|BENCH|HOSP|HILUM|HILUM|20260102101500||ORU^R01^ORU_R01|B\(number)|P|2.5.1\r"
            + "PID|1||R\(number)^^^HOSP^MR||Bench^Marta||19600504|F\r"
            + "ORC|RE|P\(number)^HOSP|F\(number)^RIS\r"
            + "OBR|1|P\(number)^HOSP|F\(number)^RIS|24627-2^CT Chest^LN|||20260102093000|||||||||||A\(number)||||"
            + "20260102100000||CT|F\r" + lines.joined()
        return Array(text.utf8)
    }

    /// Messages a second, from the first answer that may be given to the last message; each is durable as delivered
    /// before the next of its connection leaves.
    func run(port: Int, first: Int) async throws -> Double {
        receiver.answer(false)
        let before = receiver.count
        _ = try MessageLoad.run(
            port: port, first: first, seconds: 120, limit: Self.reports, message: { Self.message($0) })
        let clock = ContinuousClock()
        let begin = clock.now
        receiver.answer(true)
        while receiver.count - before < Self.reports {
            guard clock.now - begin < .seconds(60) else {
                throw BenchFailure("\(receiver.count - before) of \(Self.reports) reports have left after 60 s")
            }
            try await Task.sleep(for: .milliseconds(1))
        }
        return Double(Self.reports) / (clock.now - begin).seconds
    }
}
