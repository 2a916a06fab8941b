import HTTPSupport
import Hummingbird

/// How much room is taken and left, as far as it is known.
enum StoragePage {
    @Sendable static func show(_ call: OperationsCall) async throws -> Response {
        let figures = try await call.desk.storage()
        try await call.record("storage")
        func bytes(_ count: Int64?) -> String { count.map(ByteCount.text) ?? call.language[.notKnown] }
        func count(_ count: Int?) -> String { count.map(String.init) ?? call.language[.notKnown] }
        return call.answer(
            call.language[.storageTitle],
            [
                .element(
                    "section", [],
                    call.list([
                        (.storageFree, bytes(figures.freeBytes)),
                        (.storageIntake, call.language[figures.isFull ? .storageRefuses : .storageAccepts]),
                        (.storageCustody, call.language[figures.isOwn ? .storageOwn : .storageNotOwn]),
                        (.storageSetAside, count(figures.setAside)), (.storageUnnamed, count(figures.unnamed)),
                        (.storageDatabase, bytes(figures.databaseBytes)),
                        (.storageDatabaseFree, bytes(figures.databaseFreeBytes)),
                        (.storageLog, bytes(figures.logBytes)),
                    ]),
                    .element("p", [.init("class", "quiet")], call.text(.storageHint)), call.jsonBeside("/metrics"))
            ])
    }
}
