import Workflow

/// What rejection notes refer to that has not come yet.
struct AwaitedRejectionTable {
    let connection: any SQLConnection
    /// The writer's; nil in a read.
    var memo: WriterMemo?

    /// Whether none is awaited, which the writer remembers: images that come cost no query then.
    private struct Emptiness: Sendable { let isEmpty: Bool }

    private func isEmpty() throws -> Bool {
        if let known = memo?.find(Emptiness.self, "") { return known.isEmpty }
        let isEmpty = try connection.first("SELECT sop_uid FROM awaited_rejections LIMIT 1") { try $0.text(0) } == nil
        memo?.remember(Emptiness(isEmpty: isEmpty), "")
        return isEmpty
    }

    func rejection(of sopUID: String) throws -> AwaitedRejection? {
        if try isEmpty() { return nil }
        return try connection.first(
            "SELECT detail FROM awaited_rejections WHERE sop_uid = ?", [.text(sopUID)]
        ) { try DetailColumn.decode(AwaitedRejection.self, try $0.bytes(0)) }
    }

    /// Of several of one instance the first stands.
    func keep(_ rejections: [AwaitedRejection]) throws {
        memo?.forget(Emptiness.self, "")
        var rest = rejections[...]
        while !rest.isEmpty {
            let some = rest.prefix(Self.rowsAtATime)
            rest = rest.dropFirst(some.count)
            try connection.insert(
                Self.insert,
                rows: some.map { rejection in
                    [
                        .text(rejection.sopInstanceUID), .text(rejection.studyInstanceUID),
                        .text(rejection.seriesInstanceUID), .int(rejection.sentAt.microseconds),
                        try DetailColumn.encode(rejection),
                    ]
                })
        }
    }

    private static let rowsAtATime = 1_000
    private static let insert = SQLRowInsert(
        into: "awaited_rejections",
        [("sop_uid", .text), ("study_uid", .text), ("series_uid", .text), ("sent_at", .int), ("detail", .bytes)],
        suffix: "ON CONFLICT (sop_uid) DO NOTHING")

    /// Forgets those of a study, of one series of it or of one instance, and gives how many there were.
    func forget(ofStudy studyUID: String, seriesUID: String?, sopUID: String?) throws -> Int {
        if try isEmpty() { return 0 }
        memo?.forget(Emptiness.self, "")
        var condition = SQLCondition("study_uid = ?", [.text(studyUID)])
        if let seriesUID { condition.add("series_uid = ?", .text(seriesUID)) }
        if let sopUID { condition.add("sop_uid = ?", .text(sopUID)) }
        return try connection.run("DELETE FROM awaited_rejections WHERE \(condition.text)", condition.values)
    }

    /// Removes those that are older than a site keeps what is rejected, at most so many, and gives how many went.
    func remove(before time: UTCInstant, limit: Int) throws -> Int {
        let uids = try connection.all(
            "SELECT sop_uid FROM awaited_rejections WHERE sent_at < ? ORDER BY sent_at, sop_uid LIMIT ?",
            [.int(time.microseconds), .int(Int64(limit))]
        ) { try $0.text(0) }
        if uids.isEmpty { return 0 }
        return try connection.run(
            "DELETE FROM awaited_rejections WHERE \(connection.dialect.isInTexts("sop_uid"))", [.texts(uids)])
    }
}
