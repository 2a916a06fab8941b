import Access
import DICOMData
import DICOMTranslation
import HTTPSupport
import Hummingbird
import NIOCore
import Synchronization
import Workflow

/// Retrieval of what lies in an archive alone: it is fetched. What is asked for as a whole is waited for, and the
/// instances of a study or series are sent as they come. PS3.18 §10.4.
extension DICOMwebRoutes {
    /// The rows that `read` gives, once what is asked for is here. Who asks for what this server keeps waits for
    /// nothing.
    ///
    /// - Parameters:
    ///   - sopInstanceUID: of the one instance that is asked for; nil for a study or series.
    ///   - instance: of a row.
    ///
    /// Throws ``HTTPSupport/HTTPFailure`` `.unavailable` with Retry-After while it is not here.
    func present<Row: Sendable>(
        study: String, sopInstanceUID: String?, _ request: APIRequest, instance: (Row) -> Instance,
        read: () async throws -> [Row]
    ) async throws -> [Row] {
        let rows = try await read()
        guard let fetch else { return rows }
        let hasCopies = rows.contains { instance($0).archive != nil }
        if !rows.isEmpty, sopInstanceUID != nil || !hasCopies {
            if hasCopies { fetch.use(study) }
            return rows
        }
        switch await fetch.standing(of: study, access: request.access) {
        case .absent: return rows
        // More may have come since they were read.
        case .here: return try await read()
        case .later(let seconds): throw Self.notHere(afterSeconds: seconds)
        case .coming(let progress):
            let isHere = await progress.wait(within: .seconds(fetch.rule.waitSeconds)) { progress in
                sopInstanceUID.map { progress.has($0) } ?? false
            }
            guard isHere, progress.isWhole != false else { throw Self.notHere(afterSeconds: 5) }
            return try await read()
        }
    }

    static func notHere(afterSeconds seconds: Int) -> HTTPFailure {
        HTTPFailure(
            .unavailable, "this lies in an archive and is not here yet, or an archive does not answer; try again",
            headers: [.retryAfter: "\(seconds)"])
    }

    /// The fetch of a study of which instances have begun to come; nil for one of which all lies here that there is, or
    /// nothing is anywhere. Throws as ``present(study:sopInstanceUID:_:instance:read:)``.
    func arriving(_ study: String, _ request: APIRequest) async throws -> FetchProgress? {
        guard let fetch else { return nil }
        switch await fetch.standing(of: study, access: request.access) {
        case .absent, .here: return nil
        case .later(let seconds): throw Self.notHere(afterSeconds: seconds)
        case .coming(let progress):
            let hasBegun = await progress.wait(within: .seconds(fetch.rule.waitSeconds)) { $0.count > 0 }
            guard hasBegun, progress.isWhole != false else { throw Self.notHere(afterSeconds: 5) }
            return progress.isWhole == true ? nil : progress
        }
    }
}

/// The instances of a study or series in the order in which they come, then those that were here before, each once.
final class ArrivingInstances: Sendable {
    /// The fetch ended before all had come: the body must not end well.
    struct Incomplete: Error {}

    private struct State {
        /// How many of those that have come were looked at.
        var position = 0
        var sent: Set<String> = []
        /// The last that was looked at of those that are here, once all have come.
        var last: Instance.Place?
    }
    private let state = Mutex(State())
    private let progress: FetchProgress
    private let pageCount: Int
    /// Rows that the caller may see: one instance, or those behind one.
    private let read: @Sendable (_ sopInstanceUID: String?, _ after: Instance.Place?) async throws -> [Instance]

    /// - Parameters:
    ///   - pageCount: rows of one reading; fewer say that there are no more.
    ///   - read: the row of an instance, or a page of those behind `after`.
    init(
        _ progress: FetchProgress, pageCount: Int,
        read: @escaping @Sendable (_ sopInstanceUID: String?, _ after: Instance.Place?) async throws -> [Instance]
    ) {
        self.progress = progress
        self.pageCount = pageCount
        self.read = read
    }

    /// The next ones, as soon as there are some; none at the end. For one caller at a time. Throws ``Incomplete``, and
    /// what the reading throws.
    func next() async throws -> [Instance] {
        while true {
            try Task.checkCancellation()
            let position = state.withLock { $0.position }
            let (uids, isWhole) = progress.arrived(behind: position, limit: pageCount)
            if !uids.isEmpty {
                var found: [Instance] = []
                for uid in uids { found += try await read(uid, nil) }
                let new = take(found) { $0.position = position + uids.count }
                if !new.isEmpty { return new }
            } else if isWhole == true {
                return try await rest()
            } else if isWhole == false {
                throw Incomplete()
            } else {
                await progress.wait(behind: position)
            }
        }
    }

    /// The same for an answer that has not begun. Throws ``HTTPSupport/HTTPFailure`` `.unavailable` where nothing of
    /// what is asked for came in time, and where not all will come.
    func first(within time: Duration) async throws -> [Instance] {
        do {
            return try await withThrowingTaskGroup(of: [Instance]?.self) { group in
                group.addTask { try await self.next() }
                group.addTask {
                    try await Task.sleep(for: time)
                    return nil
                }
                defer { group.cancelAll() }
                guard let first = try await group.next(), let first else {
                    throw DICOMwebRoutes.notHere(afterSeconds: 5)
                }
                return first
            }
        } catch is Incomplete {
            throw DICOMwebRoutes.notHere(afterSeconds: 5)
        }
    }

    private func rest() async throws -> [Instance] {
        while true {
            let page = try await read(nil, state.withLock { $0.last })
            guard let last = page.last else { return [] }
            let new = take(page) { $0.last = last.place }
            if !new.isEmpty { return new }
            if page.count < pageCount { return [] }
        }
    }

    /// Those that were not sent before.
    private func take(_ instances: [Instance], _ move: (inout State) -> Void) -> [Instance] {
        state.withLock { state in
            move(&state)
            return instances.filter { state.sent.insert($0.sopInstanceUID).inserted }
        }
    }
}
