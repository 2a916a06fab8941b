import Access
import DICOMData
import DICOMTranslation
import HTTPSupport
import HTTPTypes
import Hummingbird
import NIOCore
import Workflow

/// Retrieve instances, metadata, frames and bulk data. PS3.18 §10.4.
extension DICOMwebRoutes {
    /// Rows taken from the index at a time while streaming.
    static let batch = 100

    /// The UIDs of a URL.
    private struct Target {
        var study: String
        var series: String?
        var instance: String?
    }

    private func target(_ request: APIRequest) throws -> Target {
        func uid(_ name: String) throws -> String? {
            let text = request.parameters[name]
            if text.isEmpty { return nil }
            guard UID.isSafe(text) else { throw HTTPFailure(.malformed, "the \(name) in the URL is no UID") }
            return text
        }
        return Target(study: try uid("study") ?? "", series: try uid("series"), instance: try uid("instance"))
    }

    private func page(_ target: Target, after: String?, _ request: APIRequest) async throws -> [InstanceHeader] {
        try await index.headers(
            studyInstanceUID: target.study, seriesInstanceUID: target.series, sopInstanceUID: target.instance,
            after: after,
            limit: Self.batch, access: request.access)
    }

    private func accept(_ request: APIRequest) throws -> [DICOMwebMediaType.Wish] {
        try DICOMwebMediaType.wishes(try request.query()["accept"] ?? request.headers[.accept])
    }

    // MARK: Instances. §10.4.1.1

    func retrieve(_ request: APIRequest) async throws -> Response {
        let target = try target(request)
        if target.instance != nil { return try await retrieveOne(target, request) }
        let first = try await page(target, after: nil, request)
        guard !first.isEmpty else {
            throw HTTPFailure(.notFound, "there is no such \(target.series == nil ? "study" : "series")")
        }
        let syntaxes = try first.map { try StoredHeader($0).transferSyntax }
        guard let form = DICOMwebMediaType.instanceForm(try accept(request), stored: syntaxes, isSingle: false),
            form.isMultipart
        else {
            throw HTTPFailure(
                .notAcceptable, "available: multipart/related; type=\"application/dicom\"; transfer-syntax=*")
        }
        try await record("retrieve", request)
        let boundary = newBoundary()
        return .stream(contentType: "multipart/related; type=\"application/dicom\"; boundary=\(boundary)") { writer in
            try await gate.withPermit {
                var batch = first
                while let last = batch.last {
                    for stored in batch {
                        try await send(stored, boundary: boundary, recodes: form.isRecoded, &writer)
                    }
                    batch =
                        batch.count < Self.batch
                        ? [] : try await page(target, after: last.instance.sopInstanceUID, request)
                }
                try await writer.write(ByteBuffer(string: "--\(boundary)--\r\n"))
            }
        }
    }

    private func send(
        _ stored: InstanceHeader, boundary: String, recodes: Bool, _ writer: inout any ResponseBodyWriter
    ) async throws {
        let header = try StoredHeader(stored)
        let isRecoded =
            DICOMwebMediaType.mustRecode(header.transferSyntax)
            || (recodes && !header.transferSyntax.isEncapsulated
                && header.transferSyntax != .explicitVRLittleEndian)
        let syntax = isRecoded ? TransferSyntax.explicitVRLittleEndian : header.transferSyntax
        let location = instanceURL(stored.instance)
        try await writer.write(
            ByteBuffer(
                string:
                    "--\(boundary)\r\nContent-Type: application/dicom;transfer-syntax=\(syntax.uid)\r\nContent-Location: \(location)\r\n\r\n"
            ))
        let file = RetrievedInstance(instance: stored.instance, blobs: blobs)
        if isRecoded {
            try await file.sendRecoded(header) { try await writer.write($0) }
        } else {
            try await file.sendStored { try await writer.write($0) }
        }
        try await writer.write(ByteBuffer(string: "\r\n"))
    }

    /// One instance: its row is enough unless it must be re-coded.
    private func retrieveOne(_ target: Target, _ request: APIRequest) async throws -> Response {
        guard
            let instance = try await index.instances(
                studyInstanceUID: target.study, seriesInstanceUID: target.series, sopInstanceUID: target.instance,
                after: nil, limit: 1,
                access: request.access
            ).first
        else { throw HTTPFailure(.notFound, "there is no such instance") }
        guard let syntax = TransferSyntax(uid: instance.transferSyntaxUID) else {
            throw StoreError(.corrupt, "a stored instance names an unknown transfer syntax")
        }
        guard let form = DICOMwebMediaType.instanceForm(try accept(request), stored: [syntax], isSingle: true) else {
            throw HTTPFailure(.notAcceptable, "available: application/dicom; transfer-syntax=\(syntax.uid)")
        }
        if form.isMultipart || form.isRecoded {
            try await record("retrieve", request)
            guard let stored = try await page(target, after: nil, request).first else {
                throw HTTPFailure(.notFound, "there is no such instance")
            }
            let boundary = newBoundary()
            if form.isMultipart {
                return .stream(contentType: "multipart/related; type=\"application/dicom\"; boundary=\(boundary)") {
                    writer in
                    try await gate.withPermit {
                        try await send(stored, boundary: boundary, recodes: form.isRecoded, &writer)
                        try await writer.write(ByteBuffer(string: "--\(boundary)--\r\n"))
                    }
                }
            }
            let header = try StoredHeader(stored)
            return .stream(
                contentType: "application/dicom;transfer-syntax=\(TransferSyntax.explicitVRLittleEndian.uid)"
            ) { writer in
                try await gate.withPermit {
                    try await RetrievedInstance(instance: instance, blobs: blobs).sendRecoded(header) {
                        try await writer.write($0)
                    }
                }
            }
        }
        // The file is opened while the audit row becomes durable; nothing is sent before it is.
        let file = RetrievedInstance(instance: instance, blobs: blobs)
        async let opening = file.open()
        try await record("retrieve", request)
        let opened = try await opening
        return .stream(
            contentType: "application/dicom;transfer-syntax=\(syntax.uid)", contentLength: Int(instance.size)
        ) { writer in
            try await gate.withPermit { try await file.sendStored(opened) { try await writer.write($0) } }
        }
    }

    private func instanceURL(_ instance: Instance) -> String {
        "\(baseURL)/studies/\(instance.studyInstanceUID)/series/\(instance.seriesInstanceUID)/instances/\(instance.sopInstanceUID)"
    }

    // MARK: Metadata. §10.4.1.1.2

    func metadata(_ request: APIRequest) async throws -> Response {
        let target = try target(request)
        let contentType = try Self.searchType(request)
        let first = try await page(target, after: nil, request)
        guard !first.isEmpty else { throw HTTPFailure(.notFound, "there is nothing at this URL") }
        try await record("metadata", request)
        return .stream(contentType: contentType) { writer in
            try await gate.withPermit {
                var batch = first
                var mark: [UInt8] = [UInt8(ascii: "[")]
                while let last = batch.last {
                    for stored in batch {
                        try await writer.write(ByteBuffer(bytes: mark + (try metadata(of: stored))))
                        mark = [UInt8(ascii: ",")]
                    }
                    batch =
                        batch.count < Self.batch
                        ? [] : try await page(target, after: last.instance.sopInstanceUID, request)
                }
                try await writer.write(ByteBuffer(string: "]"))
            }
        }
    }

    /// All attributes; large values by a URI that this server answers.
    private func metadata(of stored: InstanceHeader) throws -> [UInt8] {
        let header = try StoredHeader(stored)
        var dataSet = header.dataSet
        dataSet.set(.availableTransferSyntaxUID, string: header.transferSyntax.uid)
        let base = instanceURL(stored.instance)
        return try DICOMJSON.encode(dataSet) { path, element in
            guard case .external = element.value else { return nil }
            // Compressed and deflated pixels are reached as frames.
            let isFrames =
                element.tag.isPixelData && (header.transferSyntax.isEncapsulated || header.transferSyntax.isDeflated)
            return isFrames ? "\(base)/frames/1" : "\(base)/bulkdata/\(path)"
        }
    }

    // MARK: Frames. §10.4.1.1.3

    func frames(_ request: APIRequest) async throws -> Response {
        let target = try target(request)
        let numbers = try request.parameters["frames"].split(separator: ",", omittingEmptySubsequences: false).map {
            text in
            guard let number = Int(text), number >= 1 else {
                throw HTTPFailure(.malformed, "frames are numbers from 1, separated by commas")
            }
            return number
        }
        guard numbers.count <= 10_000 else { throw HTTPFailure(.malformed, "too many frames are asked for at once") }
        guard let stored = try await page(target, after: nil, request).first else {
            throw HTTPFailure(.notFound, "there is no such instance")
        }
        let header = try StoredHeader(stored)
        guard stored.instance.numberOfFrames > 0 else { throw HTTPFailure(.notFound, "this instance has no frames") }
        guard
            let form = DICOMwebMediaType.frameForm(
                try accept(request), stored: header.transferSyntax, frames: numbers.count)
        else {
            let type = DICOMwebMediaType.compressed(header.transferSyntax) ?? "application/octet-stream"
            throw HTTPFailure(
                .notAcceptable,
                "available: multipart/related; type=\"\(type)\"; transfer-syntax=\(header.transferSyntax.uid)")
        }
        let source = try await FrameSource(header, blobs: blobs)
        let frames = try numbers.map { number in
            guard let frame = source.layout.frame(number - 1) else {
                throw HTTPFailure(.notFound, "there is no frame \(number)")
            }
            return frame
        }
        try await record("frames", request)
        let boundary = newBoundary()
        let base = instanceURL(stored.instance)
        guard form.isMultipart else {
            return .stream(
                contentType: form.contentType, contentLength: frames[0].bitOffset == 0 ? frames[0].byteCount : nil
            ) { writer in
                try await gate.withPermit { try await source.send(frames[0]) { try await writer.write($0) } }
            }
        }
        let inner = form.contentType.split(separator: ";").first.map(String.init) ?? form.contentType
        return .stream(contentType: "multipart/related; type=\"\(inner)\"; boundary=\(boundary)") { writer in
            try await gate.withPermit {
                for (number, frame) in zip(numbers, frames) {
                    try await writer.write(
                        ByteBuffer(
                            string:
                                "--\(boundary)\r\nContent-Type: \(form.contentType)\r\nContent-Location: \(base)/frames/\(number)\r\n\r\n"
                        ))
                    try await source.send(frame) { try await writer.write($0) }
                    try await writer.write(ByteBuffer(string: "\r\n"))
                }
                try await writer.write(ByteBuffer(string: "--\(boundary)--\r\n"))
            }
        }
    }

    // MARK: Bulk data. §10.4.1.1.5

    func bulkData(_ request: APIRequest) async throws -> Response {
        let target = try target(request)
        guard let path = ElementPath(text: request.parameters["path"]) else {
            throw HTTPFailure(.malformed, "bulk data is named by hexadecimal tags and item numbers, such as 00420011")
        }
        guard let stored = try await page(target, after: nil, request).first else {
            throw HTTPFailure(.notFound, "there is no such instance")
        }
        let header = try StoredHeader(stored)
        guard let element = header.dataSet.element(at: path), case .external(let value) = element.value,
            let length = value.length,
            !value.isEncapsulated
        else { throw HTTPFailure(.notFound, "this instance has no such bulk data") }
        let wishes = try accept(request)
        let octets = MediaType(type: "application", subtype: "octet-stream")
        guard let wish = wishes.first(where: { $0.media.includes(octets) }) else {
            throw HTTPFailure(.notAcceptable, "available: application/octet-stream")
        }
        try await record("bulkdata", request)
        let file = RetrievedInstance(instance: stored.instance, blobs: blobs)
        if header.transferSyntax.isDeflated {
            let inflated = try await file.inflated(header)
            guard let bytes = inflated.element(at: path)?.bytes else {
                throw HTTPFailure(.notFound, "this instance has no such bulk data")
            }
            return .bytes(bytes, contentType: "application/octet-stream")
        }
        let size = header.transferSyntax.isBigEndian ? element.vr.wordSize : 1
        let boundary = newBoundary()
        let isMultipart = wish.isMultipart
        return .stream(
            contentType: isMultipart
                ? "multipart/related; type=\"application/octet-stream\"; boundary=\(boundary)"
                : "application/octet-stream",
            contentLength: isMultipart ? nil : length
        ) { writer in
            try await gate.withPermit {
                if isMultipart {
                    try await writer.write(
                        ByteBuffer(string: "--\(boundary)\r\nContent-Type: application/octet-stream\r\n\r\n"))
                }
                let reader = try await blobs.open(stored.instance.blobID)
                try await file.copy(reader, from: Int64(value.offset), count: Int64(length), swappingBy: size) {
                    try await writer.write($0)
                }
                if isMultipart { try await writer.write(ByteBuffer(string: "\r\n--\(boundary)--\r\n")) }
            }
        }
    }
}

/// Where frames are read from: ranges of the blob, or, for a deflated instance, of its inflated pixels.
struct FrameSource: Sendable {
    let layout: PixelDataLayout
    private let reader: (any BlobReading)?
    private let inflated: [UInt8]

    init(_ header: StoredHeader, blobs: any BlobStoring) async throws {
        let reader = try await blobs.open(header.instance.blobID)
        if let layout = header.layout {
            self.layout = layout
            self.reader = reader
            inflated = []
            return
        }
        guard header.transferSyntax.isDeflated else {
            throw HTTPFailure(.notFound, "this instance has no readable frames")
        }
        let dataSet = try await RetrievedInstance(instance: header.instance, blobs: blobs).inflated(header)
        guard let element = dataSet.elements.first(where: { $0.tag.isPixelData }), let bytes = element.bytes,
            let layout = PixelDataLayout(
                PixelDataLocation(tag: element.tag, vr: element.vr, offset: 0, length: bytes.count), of: dataSet,
                transferSyntax: .explicitVRLittleEndian)
        else { throw HTTPFailure(.notFound, "this instance has no readable frames") }
        self.layout = layout
        self.reader = nil
        inflated = bytes
    }

    /// Sends one frame in little endian; a frame of one-bit pixels that does not start at a byte is shifted to one.
    func send(_ frame: PixelDataLayout.Frame, _ write: (ByteBuffer) async throws -> Void) async throws {
        let size = layout.isBigEndian ? layout.wordSize : 1
        for range in frame.ranges {
            var done = range.lowerBound
            var carry: UInt8?
            while done < range.upperBound {
                var piece = try await bytes(done, min(RetrievedInstance.pieceBytes, range.upperBound - done))
                guard !piece.isEmpty else { throw StoreError(.corrupt, "pixel data is shorter than its index says") }
                done += piece.count
                if size > 1 {
                    for start in stride(from: 0, through: piece.count - size, by: size) {
                        piece[start..<start + size].reverse()
                    }
                }
                if frame.bitOffset > 0 {
                    piece = Self.shifted(piece, by: frame.bitOffset, carry: &carry, isLast: done == range.upperBound)
                }
                if !piece.isEmpty { try await write(ByteBuffer(bytes: piece)) }
            }
        }
    }

    private func bytes(_ offset: Int, _ count: Int) async throws -> [UInt8] {
        guard let reader else { return Array(inflated[offset..<min(inflated.count, offset + count)]) }
        return try await reader.read(offset: Int64(offset), length: count)
    }

    /// Bits packed from the least significant one, moved down so that the first is bit 0. PS3.5 §8.1.1.
    static func shifted(_ piece: [UInt8], by bits: Int, carry: inout UInt8?, isLast: Bool) -> [UInt8] {
        var out: [UInt8] = []
        for byte in piece {
            if let previous = carry { out.append(previous >> UInt8(bits) | byte << UInt8(8 - bits)) }
            carry = byte
        }
        if isLast, let previous = carry { out.append(previous >> UInt8(bits)) }
        return out
    }
}
