import Access
import DICOMData
import DICOMPixels
import DICOMRendering
import DICOMTranslation
import HTTPSupport
import Synchronization
import Workflow

/// Which instances of a series its default window is made of: some, evenly spaced in the order of the series, the same
/// for every picture of it.
struct SeriesSample: Sendable {
    static let instancesMax = 9
    /// Pixels of all of them, as far as their rows tell.
    static let pixelsMax = 1 << 25

    let instances: [Instance]
    /// Another when an instance of the series comes or goes.
    let tag: String

    /// - Parameter rows: the instances of one series, in their order.
    init(of rows: [Instance]) {
        // Whose they are is nothing to a window.
        let objects = rows.map { row in
            var object = row
            object.subject = nil
            return object
        }
        instances = Self.spread(
            objects.filter { $0.numberOfFrames > 0 && TransferSyntax(uid: $0.transferSyntaxUID)?.isVideo == false })
        tag = SinglePart(madeOf: objects, form: rows.first?.seriesInstanceUID ?? "").tag
    }

    private static func spread(_ images: [Instance]) -> [Instance] {
        let pixels = images.lazy.map { max(0, $0.rows ?? 0) * max(0, $0.columns ?? 0) }.max() ?? 0
        let count = min(instancesMax, max(1, pixelsMax / max(1, pixels)))
        guard images.count > count else { return images }
        guard count > 1 else { return [images[(images.count - 1) / 2]] }
        return (0..<count).map { images[$0 * (images.count - 1) / (count - 1)] }
    }
}

/// The default windows that were made last, and the samples that they were made of, so that the next picture of a series
/// costs no more than itself. They are made anew when an instance of the series comes or goes, once for all who ask
/// meanwhile.
final class SeriesWindows: Sendable {
    static let keptMax = 1_000

    /// The values that were put last.
    private struct Latest<Value: Sendable>: Sendable {
        private(set) var values: [String: Value] = [:]
        /// The oldest first.
        private var keys: [String] = []

        mutating func put(_ value: Value, _ key: String) {
            if values.updateValue(value, forKey: key) == nil { keys.append(key) }
            if keys.count > SeriesWindows.keptMax { values[keys.removeFirst()] = nil }
        }
    }

    private struct Listed: Sendable {
        let sample: SeriesSample
        let changes: UInt64
    }

    private struct State {
        var windows = Latest<VOIWindow?>()
        var samples = Latest<Listed>()
        /// Who waits for windows that are being made, by the tags of their samples.
        var making: [String: [Int: CheckedContinuation<Void, Never>]] = [:]
        var waiters = 0
    }

    private enum Turn {
        case known(VOIWindow?)
        /// Nobody else makes it: it is to be told to ``end(_:_:)``.
        case first
        case waiting
    }

    private let state = Mutex(State())

    /// The sample of a series as it was listed, unless that has changed since.
    ///
    /// - Parameter changes: as of ``ImagingIndex/changes(ofSeries:)``.
    func sample(ofSeries place: String, _ changes: UInt64) -> SeriesSample? {
        let found = state.withLock { $0.samples.values[place] }
        return found.flatMap { $0.changes == changes ? $0.sample : nil }
    }

    func keep(_ sample: SeriesSample, ofSeries place: String, _ changes: UInt64) {
        state.withLock { $0.samples.put(Listed(sample: sample, changes: changes), place) }
    }

    /// Nil for a sample whose window is not known; `.some(nil)` for one that has none.
    func find(_ sample: SeriesSample) -> VOIWindow?? { state.withLock { $0.windows.values[sample.tag] } }

    func keep(_ window: VOIWindow?, of sample: SeriesSample) { state.withLock { $0.windows.put(window, sample.tag) } }

    /// The window of a sample, made by the first who asks while the others wait. Where that fails, or who made it goes
    /// away, the next one makes it. Throws what making does, and `CancellationError`.
    func window(of sample: SeriesSample, make: () async throws -> VOIWindow?) async throws -> VOIWindow? {
        while true {
            try Task.checkCancellation()
            switch turn(sample.tag) {
            case .known(let window): return window
            case .waiting: await wait(for: sample.tag)
            case .first:
                do {
                    let window = try await make()
                    end(sample.tag, .some(window))
                    return window
                } catch {
                    end(sample.tag, nil)
                    throw error
                }
            }
        }
    }

    private func turn(_ tag: String) -> Turn {
        state.withLock { state in
            if let known = state.windows.values[tag] { return .known(known) }
            if state.making[tag] != nil { return .waiting }
            state.making[tag] = [:]
            return .first
        }
    }

    /// - Parameter window: nil where it was not made.
    private func end(_ tag: String, _ window: VOIWindow??) {
        let waiting = state.withLock { state in
            if let window { state.windows.put(window, tag) }
            return state.making.removeValue(forKey: tag) ?? [:]
        }
        for continuation in waiting.values { continuation.resume() }
    }

    /// Returns once it was made, or was not, and when the task is cancelled.
    private func wait(for tag: String) async {
        let id = state.withLock { state in
            state.waiters += 1
            return state.waiters
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isWaiting = state.withLock { state in
                    // A cancellation from here on finds the continuation.
                    guard !Task.isCancelled, state.making[tag] != nil else { return false }
                    state.making[tag]?[id] = continuation
                    return true
                }
                if !isWaiting { continuation.resume() }
            }
        } onCancel: {
            state.withLock { $0.making[tag]?.removeValue(forKey: id) }?.resume()
        }
    }
}

/// The window of frames that bring none. PS3.3 §C.11.2.1.2.
///
/// All pictures of a series have the same, wherever they are asked for, so that they can be compared. Of other images
/// than the one that is asked for a window is all that is told.
extension DICOMwebRoutes {
    /// Instances of a series among which some are chosen.
    private static let seriesInstancesMax = 2_000

    func sample(of instance: Instance, _ access: AccessContext) async throws -> SeriesSample {
        let (study, series) = (instance.studyInstanceUID, instance.seriesInstanceUID)
        let place = study + "/" + series
        // What is seen of it by who does not see all changes with more than its instances.
        let changes = access.imageVisibility.isWhole ? try await index.changes(ofSeries: series) : nil
        if let changes, let known = windows.sample(ofSeries: place, changes) { return known }
        let sample = SeriesSample(
            of: try await index.instances(
                studyInstanceUID: study, seriesInstanceUID: series, sopInstanceUID: nil, after: nil,
                limit: Self.seriesInstancesMax, access: access))
        if let changes { windows.keep(sample, ofSeries: place, changes) }
        return sample
    }

    /// For pictures that are known by their tag: nil where none of the frames needs the window of its series.
    func sample(
        for header: StoredHeader, _ numbers: [Int]?, _ query: RenderedQuery, _ access: AccessContext
    ) async throws -> SeriesSample? {
        guard query.window == nil, RenderedInstance.needsSeriesWindow(header, numbers) else { return nil }
        return try await sample(of: header.instance, access)
    }

    /// The window for those of some frames that bring none; nil where there is no such frame.
    ///
    /// - Parameter samples: of the series that were asked for by the same answer, by their UIDs.
    func defaultWindow(
        of pictures: RenderedInstance, _ numbers: some Sequence<Int>, _ query: RenderedQuery, _ access: AccessContext,
        _ samples: inout [String: SeriesSample]
    ) async throws -> VOIWindow? {
        guard query.window == nil, pictures.needsDefaultWindow(numbers) else { return nil }
        // Differences are of the values of one run.
        if pictures.subtracts { return try await pictures.defaultWindow() }
        let instance = pictures.header.instance
        let sample: SeriesSample
        if let known = samples[instance.seriesInstanceUID] {
            sample = known
        } else {
            sample = try await self.sample(of: instance, access)
            samples[instance.seriesInstanceUID] = sample
        }
        if let window = try await window(of: sample, access) { return window }
        return pictures.hasSeveralFrames ? try await pictures.defaultWindow() : nil
    }

    /// The same for pictures of one instance, by whose sample they are known already.
    func defaultWindow(
        of pictures: RenderedInstance, _ numbers: [Int]?, _ query: RenderedQuery, _ access: AccessContext,
        _ sample: SeriesSample? = nil
    ) async throws -> VOIWindow? {
        var samples: [String: SeriesSample] = [:]
        samples[pictures.header.instance.seriesInstanceUID] = sample
        return try await defaultWindow(
            of: pictures, numbers ?? [pictures.representative], query, access, &samples)
    }

    /// Made of the frames that stand for the instances of a sample and bring no window; nil where there are none. What
    /// cannot be read is left out.
    private func window(of sample: SeriesSample, _ access: AccessContext) async throws -> VOIWindow? {
        try await windows.window(of: sample) {
            try await withTaskExecutorPreference(globalConcurrentExecutor) {
                var values = ValueCounts()
                let reservation = memory.reservation()
                defer { reservation.release() }
                for instance in sample.instances {
                    try Task.checkCancellation()
                    guard let found = try await self.values(of: instance, access) else { continue }
                    values.append(found)
                    guard reservation.grow(to: 2 * values.byteCount) else {
                        throw StoreError(.unavailable, "no memory for the values of a series")
                    }
                }
                return values.window
            }
        }
    }

    private func values(of instance: Instance, _ access: AccessContext) async throws -> ValueCounts? {
        let found = try await index.headers(
            studyInstanceUID: instance.studyInstanceUID, seriesInstanceUID: instance.seriesInstanceUID,
            sopInstanceUID: instance.sopInstanceUID, after: nil, limit: 1, access: access)
        guard let stored = found.first else { return nil }
        do {
            let header = try StoredHeader(stored)
            guard case .image = RenderedContent(header), RenderedInstance.needsSeriesWindow(header) else { return nil }
            return try await RenderedInstance(header, blobs: blobs, pixels: pixels, memory: memory).values()
        } catch let error where Self.isOfTheFrame(error) || RenderedParts.isUnreadable(error) || error is RenderingError
        {
            return nil
        } catch let error as StoreError where error.code == .corrupt || error.code == .notFound {
            return nil
        }
    }
}
