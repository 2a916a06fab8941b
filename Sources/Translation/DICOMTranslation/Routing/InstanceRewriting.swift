import Access
import DICOMData
import Workflow

/// What a destination is sent in the place of an instance as it is stored: of whom it is known here to be, coerced, then
/// de-identified.
package struct InstanceRewriting: Sendable {
    /// Why an instance is not sent.
    package enum Refusal: Error, Sendable, Equatable {
        case deidentification(DeidentificationRefusal)
        /// Of a deflated object, or of pixels in which regions are to be blanked, more than ``bytesMax``.
        case tooLarge
        /// There is no memory for it now.
        case noMemory
        /// The result does not name its class, itself, its series and its study by UIDs.
        case unnamed
    }

    /// Bytes that are held of one instance at most: of a deflated data set, or of pixels that are changed.
    package static let bytesMax = 256 << 20
    /// What is read of a header is changed and encoded: so many times its bytes are held.
    private static let weight = 4

    private let coercion: Coercion?
    private let deidentifier: Deidentifier?
    /// As (0400,0563) names who changed an object.
    private let system: String
    private let memory: MemoryBudget
    private let workers: any TaskExecutor

    /// - Parameters:
    ///   - system: LO; this server as people know it.
    ///   - memory: what all that are changed at a time may hold.
    ///   - workers: where objects are changed, which takes processor time.
    package init(
        coercion: Coercion? = nil, deidentifier: Deidentifier? = nil, system: String = "HILUM",
        memory: MemoryBudget = .unlimited, workers: any TaskExecutor = globalConcurrentExecutor
    ) {
        self.coercion = coercion
        self.deidentifier = deidentifier
        self.system = system
        self.memory = memory
        self.workers = workers
    }

    /// Whether every instance goes as it is stored.
    package var changesNothing: Bool { coercion == nil && deidentifier == nil }

    /// Whether what identifies is taken out of every instance, or the instance not sent.
    package var deidentifies: Bool { deidentifier != nil }

    /// An instance as it is sent; nil where it goes as it is stored. Throws ``Refusal``, `StoreError`, and
    /// `DICOMDataError` for a deflated object that cannot be read.
    package func rewritten(
        _ stored: InstanceHeader, from reader: any BlobReading, at time: UTCInstant
    ) async throws -> RewrittenInstance? {
        let subject = stored.instance.subject
        if changesNothing, subject == nil { return nil }
        let reservation = memory.reservation()
        guard reservation.grow(to: stored.header.count * Self.weight) else { throw Refusal.noMemory }
        let header = try await withTaskExecutorPreference(workers) { try StoredHeader(stored) }
        var (original, syntax) = (header.dataSet, header.transferSyntax)
        if syntax.isDeflated {
            // Pixels that are to be had elsewhere are not looked at. PS3.5 §A.6.
            guard syntax == .deflatedExplicitVRLittleEndian else { throw Refusal.deidentification(.pixelsNotRead) }
            // What is left in a deflated file has no place there.
            original = try await Self.inflated(stored.instance, reader, reservation, workers: workers)
            if let subject { original = subject.stated(in: original, source: stored.instance.receivedFrom) }
            syntax = .explicitVRLittleEndian
        }
        let origin = Coercion.Origin(
            system: system, source: stored.instance.receivedFrom ?? "",
            secondsSince1970: Int(time.microseconds / 1_000_000))
        let coerced = await withTaskExecutorPreference(workers) { [original] in
            coercion?.coerced(original, by: origin) ?? original
        }
        guard let deidentifier else {
            if coerced == original, subject == nil { return nil }
            var changed = coerced
            PassingOn.mark(&changed, .modifying, after: original, at: origin.dateTime)
            return try RewrittenInstance(changed, storedIn: syntax, header.pixelData, reservation)
        }
        var result = await withTaskExecutorPreference(workers) { deidentifier.deidentified(coerced) }
        if case .failure(.pixelsNotRead) = result {
            let whole = try await withPixels(coerced, header, reader, reservation)
            result = await withTaskExecutorPreference(workers) { deidentifier.deidentified(whole) }
        }
        switch result {
        case .failure(let refusal): throw Refusal.deidentification(refusal)
        case .success(var changed):
            PassingOn.mark(&changed, .deidentifying, after: original, at: nil)
            return try RewrittenInstance(changed, storedIn: syntax, header.pixelData, reservation)
        }
    }

    /// The whole data set of a deflated instance.
    private static func inflated(
        _ instance: Instance, _ reader: any BlobReading, _ reservation: MemoryReservation,
        workers: any TaskExecutor
    ) async throws -> DataSet {
        var bytes: [UInt8] = []
        var stream = try InflateStream()
        var position = instance.dataSetOffset
        let held = reservation.count
        while !stream.isAtEnd {
            if stream.needsInput {
                let input = try await reader.read(offset: position, length: InflateStream.inputBytesMax)
                guard !input.isEmpty else { throw StoreError(.corrupt, "a deflated data set has no end") }
                position += Int64(input.count)
                stream.feed(input)
            }
            var part = [UInt8](repeating: 0, count: InflateStream.inputBytesMax)
            let count = try part.withUnsafeMutableBytes { try stream.read(into: $0) }
            guard bytes.count + count <= bytesMax else { throw Refusal.tooLarge }
            // The bytes, and the data set that is read of them.
            guard reservation.grow(to: held + 2 * (bytes.count + count)) else { throw Refusal.noMemory }
            bytes += part[..<count]
        }
        return try await withTaskExecutorPreference(workers) { [bytes] in
            try DataSetDecoder(transferSyntax: .explicitVRLittleEndian, limits: .stored).decode(bytes)
        }
    }

    /// The whole data set of a deflated instance that is to say of another what it is, in Explicit VR Little Endian. Throws
    /// ``Refusal``, `StoreError` and `DICOMDataError`.
    ///
    /// - Parameter reservation: what it takes, with what is written of it: to be kept until that is sent.
    package static func inflated(
        _ header: StoredHeader, from reader: any BlobReading, holding reservation: MemoryReservation
    ) async throws -> DataSet {
        let dataSet = try await inflated(header.instance, reader, reservation, workers: globalConcurrentExecutor)
        guard reservation.grow(to: reservation.count / 2 * 3) else { throw Refusal.noMemory }
        return header.instance.subject?.stated(in: dataSet, source: header.instance.receivedFrom) ?? dataSet
    }

    /// The data set with its native pixels in it, in little endian.
    private func withPixels(
        _ dataSet: DataSet, _ header: StoredHeader, _ reader: any BlobReading, _ reservation: MemoryReservation
    ) async throws -> DataSet {
        guard let location = header.pixelData, location.fragments == nil else {
            throw Refusal.deidentification(.pixelsCompressed)
        }
        guard location.length <= Self.bytesMax else { throw Refusal.tooLarge }
        guard reservation.grow(to: reservation.count + 2 * location.length) else { throw Refusal.noMemory }
        var bytes = try await reader.read(offset: Int64(location.offset), length: location.length)
        guard bytes.count == location.length else { throw StoreError(.corrupt, "a blob is shorter than its row says") }
        if header.transferSyntax.isBigEndian { swapWords(&bytes, size: location.vr.wordSize) }
        var whole = dataSet
        whole[location.tag] = DataElement(location.tag, location.vr, bytes: bytes)
        return whole
    }
}

/// An instance as a destination is to have it: what is left in the stored file, and what is not.
package struct RewrittenInstance: Sendable {
    package let sopClassUID: String
    package let sopInstanceUID: String
    package let studyInstanceUID: String
    package let seriesInstanceUID: String
    /// In which what is left in the file lies there.
    package let storedSyntax: TransferSyntax
    let dataSet: DataSet
    /// Where the file has them; nil also for those that were changed.
    let pixelData: PixelDataLocation?
    /// Held as long as this is.
    private let reservation: MemoryReservation

    /// Throws ``InstanceRewriting/Refusal`` `.unnamed`.
    init(
        _ dataSet: DataSet, storedIn syntax: TransferSyntax, _ pixelData: PixelDataLocation?,
        _ reservation: MemoryReservation
    ) throws(InstanceRewriting.Refusal) {
        guard let classUID = dataSet.uid(.sopClassUID), let instanceUID = dataSet.uid(.sopInstanceUID),
            let studyUID = dataSet.uid(.studyInstanceUID), let seriesUID = dataSet.uid(.seriesInstanceUID),
            UID.isSafe(classUID), UID.isSafe(instanceUID), UID.isSafe(studyUID), UID.isSafe(seriesUID)
        else { throw .unnamed }
        (sopClassUID, sopInstanceUID) = (classUID, instanceUID)
        (studyInstanceUID, seriesInstanceUID) = (studyUID, seriesUID)
        storedSyntax = syntax
        self.dataSet = dataSet
        // What was changed in memory, such as blanked, is never to be had from the file instead.
        if let pixelData, case .external? = dataSet[pixelData.tag]?.value {
            self.pixelData = pixelData
        } else {
            self.pixelData = nil
        }
        self.reservation = reservation
    }

    /// The syntaxes that it can be sent in without a codec, those that keep most first.
    package var transferSyntaxes: [TransferSyntax] {
        storedSyntax.isEncapsulated ? [storedSyntax] : [.explicitVRLittleEndian, .implicitVRLittleEndian]
    }

    /// What it is made of in one of its syntaxes. Throws `StoreError`.
    package func encoded(in syntax: TransferSyntax, from reader: any BlobReading) async throws -> RecodedDataSet {
        try await RecodedDataSet(dataSet, of: storedSyntax, in: syntax) { range in
            try await reader.read(offset: range.lowerBound, length: range.count)
        }
    }
}
