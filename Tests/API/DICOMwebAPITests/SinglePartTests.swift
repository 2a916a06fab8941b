import Access
import DICOMPixels
import HTTPSupport
import HTTPTypes
import Hummingbird
import Testing
import Workflow

@testable import DICOMData
@testable import DICOMTranslation
@testable import DICOMwebAPI

/// Tags, conditions and ranges of answers that are one part. RFC 9110 §8.8, §13, §14; PS3.18 §10.4.3.
@Suite("Answers of one part: tags, conditions, ranges")
struct SinglePartTests {
    static func request(
        accept: String? = nil, _ fields: [(HTTPField.Name, String)] = [], query: String = "", path: String = "",
        frames: String = "", method: HTTPRequest.Method = .get
    ) -> APIRequest {
        var headers = HTTPFields()
        headers[.accept] = accept
        for (name, value) in fields { headers[name] = value }
        let uid = ResultTests.uid
        return APIRequest(
            method: method, path: "/", rawQuery: query, headers: headers,
            parameters: PathParameters(
                [("study", uid), ("series", uid), ("instance", uid)] + (path.isEmpty ? [] : [("path", path)])
                    + (frames.isEmpty ? [] : [("frames", frames)])),
            access: AccessContext(
                principal: Principal(kind: .client, id: "c"), scopes: [], requestID: "r", sourceAddress: nil))
    }

    static func body(_ response: Response) async throws -> [UInt8] {
        let log = BodyLog()
        try await response.body.write(BodyLog.Writer(log: log))
        return log.bytes
    }

    /// Two frames of 8 bits, six pixels each.
    static let pixels: [UInt8] = [0, 1, 2, 3, 4, 5, 10, 11, 12, 13, 14, 15]

    static func image(frames: Int = 2, bits: Int = 8) -> DataSet {
        var set = DataSet()
        set.set(.patientID, string: "P1")
        set.set(.rows, int: bits == 8 ? 2 : 1)
        set.set(.columns, int: 3)
        set.set(.bitsAllocated, int: bits)
        set.set(.bitsStored, int: bits)
        set.set(.highBit, int: bits - 1)
        set.set(.pixelRepresentation, int: 0)
        set.set(.samplesPerPixel, int: 1)
        set.set(.photometricInterpretation, string: "MONOCHROME2")
        set.set(.numberOfFrames, int: frames)
        set.set(.pixelData, bits == 8 ? .OB : .OW, bytes: pixels)
        return set
    }

    // MARK: The rules

    private static let instance = Instance(
        studyInstanceUID: "1", seriesInstanceUID: "2", sopInstanceUID: "3", sopClassUID: "4", instanceNumber: 1,
        transferSyntaxUID: TransferSyntax.explicitVRLittleEndian.uid, rows: nil, columns: nil, bitsAllocated: nil,
        numberOfFrames: 0, blobID: BlobID("a"), size: 10, dataSetOffset: 0, pixelDataOffset: nil, pixelDataLength: nil,
        receivedAt: UTCInstant(microseconds: 0), receivedFrom: nil)

    @Test("RFC 9110 §13.2.2: If-Match, then If-None-Match, then the range, for which If-Range has to name the same")
    func order() {
        let part = SinglePart(stored: Self.instance, form: "f", count: 10)
        let (tag, weak) = (part.tag, "W/" + part.tag)
        let some = SinglePart.Wanted.part(ByteRange(offset: 2, count: 3))
        let cases: [([(HTTPField.Name, String)], SinglePart.Wanted)] = [
            ([], .whole), ([(.range, "bytes=2-4")], some), ([(.range, "bytes=10-")], .unsatisfiable),
            ([(.range, "bytes=9-99")], .part(ByteRange(offset: 9, count: 1))),
            // Several ranges, other units and nonsense are the whole.
            ([(.range, "bytes=0-1,3-4")], .whole), ([(.range, "lines=0-1")], .whole), ([(.range, "bytes=4-2")], .whole),
            ([(.range, "bytes=2-4"), (.ifRange, tag)], some), ([(.range, "bytes=2-4"), (.ifRange, "\"x\"")], .whole),
            ([(.range, "bytes=2-4"), (.ifRange, weak)], .whole),
            ([(.range, "bytes=2-4"), (.ifRange, "Mon, 30 Nov 2026 09:00:00 GMT")], .whole),
            ([(.ifNoneMatch, tag)], .notModified), ([(.ifNoneMatch, "\"x\", \(weak) ")], .notModified),
            ([(.ifNoneMatch, "*")], .notModified), ([(.ifNoneMatch, "\"x\"")], .whole), ([(.ifNoneMatch, "")], .whole),
            // Part of another tag is none.
            ([(.ifNoneMatch, "\"x" + tag.dropFirst())], .whole),
            ([(.ifNoneMatch, tag), (.range, "bytes=2-4")], .notModified),
            ([(.ifMatch, tag)], .whole), ([(.ifMatch, weak)], .failed), ([(.ifMatch, "\"x\"")], .failed),
            ([(.ifMatch, "*"), (.range, "bytes=2-4")], some),
            ([(.ifMatch, "\"x\""), (.ifNoneMatch, tag)], .failed),
        ]
        for (fields, wanted) in cases {
            #expect(part.wanted(by: Self.request(fields)) == wanted, "\(fields)")
        }
        // A range is for GET alone. §14.2
        #expect(part.wanted(by: Self.request([(.range, "bytes=2-4")], method: .head)) == .whole)
        // What is made of an object has no ranges and no strong tag.
        let made = SinglePart(madeOf: [Self.instance], form: "f")
        #expect(made.wanted(by: Self.request([(.range, "bytes=2-4")])) == .whole)
        #expect(made.wanted(by: Self.request([(.ifMatch, made.tag)])) == .failed)
        #expect(made.wanted(by: Self.request([(.ifNoneMatch, made.tag)])) == .notModified)
        #expect(made.headers[.acceptRanges] == nil && part.headers[.acceptRanges] == "bytes")
    }

    @Test("Another object or form has another tag")
    func tags() {
        var other = Self.instance
        other.blobID = BlobID("b")
        let tags = [
            SinglePart(stored: Self.instance, form: "f", count: 1).tag,
            SinglePart(stored: other, form: "f", count: 1).tag,
            SinglePart(stored: Self.instance, form: "g", count: 1).tag,
            SinglePart(madeOf: [Self.instance, other], form: "f").tag,
            SinglePart(madeOf: [other, Self.instance], form: "f").tag,
        ]
        #expect(Set(tags).count == tags.count)
    }

    // MARK: Through the routes

    /// What a handler answers to each of these, of the bytes that it sends whole.
    private func walk(
        _ answer: ([(HTTPField.Name, String)]) async throws -> Response
    ) async throws {
        let first = try await answer([])
        let whole = try await Self.body(first)
        let tag = try #require(first.headers[.eTag])
        #expect(first.status == .ok && !tag.hasPrefix("W/") && whole.count >= 6)
        #expect(first.headers[.acceptRanges] == "bytes")
        #expect(first.headers[.cacheControl] == "private, max-age=3600, immutable")
        #expect(first.headers[.vary] == "Accept, Authorization")
        for range in [0..<1, 2..<5, whole.count - 1..<whole.count, 0..<whole.count] {
            let part = try await answer([
                (.range, "bytes=\(range.lowerBound)-\(range.upperBound - 1)"), (.ifRange, tag),
            ])
            #expect(part.status == .partialContent)
            #expect(try await Self.body(part) == Array(whole[range]), "\(range)")
            #expect(part.headers[.contentLength] == String(range.count))
            #expect(
                part.headers[.contentRange] == "bytes \(range.lowerBound)-\(range.upperBound - 1)/\(whole.count)")
            #expect(part.headers[.eTag] == tag)
        }
        let beyond = try await answer([(.range, "bytes=\(whole.count)-")])
        #expect(beyond.status == .rangeNotSatisfiable)
        #expect(beyond.headers[.contentRange] == "bytes */\(whole.count)")
        let same = try await answer([(.ifNoneMatch, tag)])
        #expect(same.status == .notModified && same.headers[.eTag] == tag)
        #expect(try await Self.body(same) == [])
        #expect(try await answer([(.ifMatch, "\"x\"")]).status == .preconditionFailed)
        let other = try await answer([(.range, "bytes=0-1"), (.ifRange, "\"x\"")])
        #expect(try await Self.body(other) == whole && other.status == .ok)
    }

    @Test("An instance alone, bulk data and a stored frame are had by ranges, with a strong tag")
    func stored() async throws {
        var set = Self.image()
        set.set(.encapsulatedDocument, .OB, bytes: (0..<20_000).map { UInt8(truncatingIfNeeded: $0) })
        let (routes, _) = try ResultTests.routes(set)
        try await walk { try await routes.retrieve(Self.request(accept: "application/dicom", $0)) }
        let octets = "application/octet-stream"
        try await walk { try await routes.frames(Self.request(accept: octets, $0, frames: "2")) }
        try await walk { try await routes.bulkData(Self.request(accept: octets, $0, path: "00420011")) }
        try await walk { try await routes.pixelData(Self.request(accept: octets, $0)) }
        let frame = try await routes.frames(Self.request(accept: octets, [(.range, "bytes=1-2")], frames: "2"))
        #expect(try await Self.body(frame) == [11, 12])
    }

    @Test("Of a deflated object the pixels are had by ranges of what it inflates to")
    func deflated() async throws {
        let (routes, _) = try ResultTests.routes(Self.image(), .deflatedExplicitVRLittleEndian)
        try await walk { try await routes.pixelData(Self.request(accept: "application/octet-stream", $0)) }
    }

    private struct NoAudit: AuditTrail {
        func record(_ record: AuditRecord) async throws {}
    }

    @Test("A range reads what it needs and no more, wherever the rest is damaged; its place among responses is kept")
    func reads() async throws {
        let content = (0..<3 << 20).map { UInt8(truncatingIfNeeded: $0 / 7) }
        let blobs = MemoryBlobs(["a": content], damagedFrom: 2 << 20)
        let gate = BulkResponseGate(limit: 1)
        let routes = RetrieveTests.routes(blobs, NoAudit(), gate, size: content.count)
        for range in [0..<1, 1_000_000..<1_000_010, 5..<5 + BlobSender.firstBytesMax] {
            let response = try await routes.retrieve(
                Self.request(
                    accept: "application/dicom", [(.range, "bytes=\(range.lowerBound)-\(range.upperBound - 1)")]))
            #expect(try await Self.body(response) == Array(content[range]))
            #expect(blobs.largest <= range.count)
        }
        await #expect(throws: StoreError.self) {
            try await routes.retrieve(Self.request(accept: "application/dicom", [(.range, "bytes=-1")]))
        }
        try await gate.withPermit {}
    }

    @Test("Of a frame in fragments a range reads across them, and reads nothing else")
    func fragments() {
        let frame = PixelDataLayout.Frame(ranges: [10..<14, 22..<28, 36..<40])
        #expect(FrameSource.ranges(0..<14, of: frame) == [10..<14, 22..<28, 36..<40])
        #expect(FrameSource.ranges(3..<5, of: frame) == [13..<14, 22..<23])
        #expect(FrameSource.ranges(4..<10, of: frame) == [22..<28])
        #expect(FrameSource.ranges(13..<14, of: frame) == [39..<40])
        #expect(FrameSource.ranges(14..<14, of: frame) == [])
    }

    @Test("What is made anew has a weak tag and no ranges: other syntaxes, turned words, metadata")
    func made() async throws {
        let (routes, _) = try ResultTests.routes(Self.image(frames: 2, bits: 16), .explicitVRBigEndian)
        let octets = "application/octet-stream"
        let answers: [([(HTTPField.Name, String)]) async throws -> Response] = [
            { try await routes.retrieve(Self.request(accept: "application/dicom", $0)) },
            { try await routes.frames(Self.request(accept: octets, $0, frames: "1")) },
            { try await routes.metadata(Self.request($0)) },
        ]
        for answer in answers {
            let first = try await answer([(.range, "bytes=0-1")])
            let tag = try #require(first.headers[.eTag])
            #expect(first.status == .ok && tag.hasPrefix("W/") && first.headers[.acceptRanges] == nil)
            let same = try await answer([(.ifNoneMatch, tag)])
            #expect(same.status == .notModified)
        }
        // Words of two bytes that are turned round: the same bytes each time, and not by halves.
        let value = try await routes.pixelData(Self.request(accept: octets, [(.range, "bytes=0-0")]))
        #expect(value.status == .ok && value.headers[.acceptRanges] == nil)
        var frames: [UInt8] = []
        for number in ["1", "2"] {
            frames += try await Self.body(try await routes.frames(Self.request(accept: octets, frames: number)))
        }
        let whole = try await Self.body(value)
        #expect(whole == frames && whole.count == Self.pixels.count)
    }

    @Test("Parts have no tag: their boundary is another each time; a conditional request is no answer from memory")
    func parts() async throws {
        let (routes, _) = try ResultTests.routes(Self.image())
        for accept in ["multipart/related; type=\"application/dicom\"", "*/*"] {
            let response = try await routes.retrieve(Self.request(accept: accept, [(.range, "bytes=0-1")]))
            #expect(response.status == .ok && response.headers[.eTag] == nil && response.headers[.cacheControl] == nil)
        }
        for fields in [(HTTPField.Name.range, "bytes=0-1"), (.ifNoneMatch, "\"x\""), (.ifMatch, "\"x\"")] {
            #expect(SinglePart.isConditional(Self.request([fields])))
        }
        #expect(!SinglePart.isConditional(Self.request(accept: "application/dicom")))
    }

    // MARK: Pixel data. PS3.18 §10.4.1.1.6

    @Test("PS3.18 §10.4.3.3.6: native pixels are one value, alone or as the part that the metadata's URI names")
    func nativePixels() async throws {
        let (routes, _) = try ResultTests.routes(Self.image())
        let alone = try await routes.pixelData(Self.request(accept: "application/octet-stream"))
        #expect(try await Self.body(alone) == Self.pixels)
        let parts = try await routes.pixelData(
            Self.request(accept: "multipart/related; type=\"application/octet-stream\""))
        let text = String(decoding: try await Self.body(parts), as: UTF8.self)
        #expect(text.contains("/instances/1.2.3/bulkdata/7FE00010\r\n") && text.hasSuffix("\r\n--bound--\r\n"))
        // Transcoded, each frame is a part.
        let rle = try await routes.pixelData(Self.request(accept: "multipart/related; type=\"image/dicom-rle\""))
        let frames = String(decoding: try await Self.body(rle), as: UTF8.self)
        #expect(frames.split(separator: "--bound\r\n").count == 2)
        await #expect(throws: HTTPFailure(.notAcceptable, "")) {
            try await routes.pixelData(Self.request(accept: "text/plain"))
        }
    }

    @Test("An instance without pixels has no pixel data")
    func noPixels() async throws {
        var set = DataSet()
        set.set(.patientID, string: "P1")
        let (routes, _) = try ResultTests.routes(set)
        await #expect(throws: HTTPFailure(.notFound, "")) { try await routes.pixelData(Self.request()) }
    }
}
