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
        instances = Self.spread(
            rows.filter { $0.numberOfFrames > 0 && TransferSyntax(uid: $0.transferSyntaxUID)?.isVideo == false })
        tag = SinglePart(madeOf: rows, form: rows.first?.seriesInstanceUID ?? "").tag
    }

    private static func spread(_ images: [Instance]) -> [Instance] {
        let pixels = images.lazy.map { max(0, $0.rows ?? 0) * max(0, $0.columns ?? 0) }.max() ?? 0
        let count = min(instancesMax, max(1, pixelsMax / max(1, pixels)))
        guard images.count > count else { return images }
        guard count > 1 else { return [images[(images.count - 1) / 2]] }
        return (0..<count).map { images[$0 * (images.count - 1) / (count - 1)] }
    }
}

/// The default windows that were made last, so that the next picture of a series costs no more than itself. They are made
/// anew when an instance of the series comes or goes.
final class SeriesWindows: Sendable {
    static let keptMax = 1_000

    private struct State {
        var windows: [String: VOIWindow?] = [:]
        /// The oldest first.
        var keys: [String] = []
    }
    private let state = Mutex(State())

    /// Nil for a sample whose window is not known; `.some(nil)` for one that has none.
    func find(_ sample: SeriesSample) -> VOIWindow?? { state.withLock { $0.windows[sample.tag] } }

    func keep(_ window: VOIWindow?, of sample: SeriesSample) {
        state.withLock { state in
            if state.windows.updateValue(window, forKey: sample.tag) == nil { state.keys.append(sample.tag) }
            if state.keys.count > Self.keptMax { state.windows[state.keys.removeFirst()] = nil }
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
        SeriesSample(
            of: try await index.instances(
                studyInstanceUID: instance.studyInstanceUID, seriesInstanceUID: instance.seriesInstanceUID,
                sopInstanceUID: nil, after: nil, limit: Self.seriesInstancesMax, access: access))
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
        if let known = windows.find(sample) { return known }
        let window = try await withTaskExecutorPreference(globalConcurrentExecutor) {
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
        windows.keep(window, of: sample)
        return window
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
