import Access
import DICOMRendering
import HTTPSupport
import HTTPTypes
import Hummingbird
import PixelCodecs
import Synchronization
import Testing
import Workflow

@testable import DICOMData
@testable import DICOMTranslation
@testable import DICOMwebAPI

/// Rendered studies, series, instances and frames, and thumbnails, through the routes. PS3.18 §8.3.5, §8.7.4,
/// §10.4.1.1.3, §10.4.1.1.4.
@Suite("Rendered resources and thumbnails")
struct RenderedTests {
    static let study = "1.2.3"

    struct Index: ImagingIndex {
        let stored: [InstanceHeader]
        /// Of instances that are not named by what they say.
        var patients: [String: PatientOfInstance] = [:]
        func patient(of instance: Instance, access: AccessContext) async throws -> PatientOfInstance {
            patients[instance.sopInstanceUID] ?? .asSent
        }
        func worklist(_ query: WorklistQuery, access: AccessContext) async throws -> [WorklistEntry] { [] }
        func studies(_ query: StudyQuery, access: AccessContext) async throws -> StudyMatches {
            StudyMatches(matches: [], remaining: 0)
        }
        func instances(
            studyInstanceUID: String, seriesInstanceUID: String?, sopInstanceUID: String?, after: Instance.Place?,
            limit: Int, access: AccessContext
        ) async throws -> [Instance] {
            try await headers(
                studyInstanceUID: studyInstanceUID, seriesInstanceUID: seriesInstanceUID,
                sopInstanceUID: sopInstanceUID, after: after, limit: limit, access: access
            ).map(\.instance)
        }
        func headers(
            studyInstanceUID: String, seriesInstanceUID: String?, sopInstanceUID: String?, after: Instance.Place?,
            limit: Int, access: AccessContext
        ) async throws -> [InstanceHeader] {
            let found = stored.filter {
                $0.instance.studyInstanceUID == studyInstanceUID
                    && seriesInstanceUID ?? $0.instance.seriesInstanceUID == $0.instance.seriesInstanceUID
                    && sopInstanceUID ?? $0.instance.sopInstanceUID == $0.instance.sopInstanceUID
            }
            let start = after.flatMap { last in found.firstIndex { $0.instance.place == last } }
            return Array(found[(start.map { $0 + 1 } ?? 0)...].prefix(limit))
        }
    }

    final class Trail: AuditTrail {
        let rows = Mutex<[String]>([])
        func record(_ record: AuditRecord) async throws { rows.withLock { $0.append(record.interaction) } }
    }

    /// One object to be stored: its data set, series, class and transfer syntax.
    struct Object {
        var set: DataSet
        var series = "1.2.3.1"
        var uid: String
        var sopClass = UID.ctImageStorage
        var syntax = TransferSyntax.explicitVRLittleEndian
    }

    static func routes(
        _ objects: [Object], _ trail: any AuditTrail = Trail(), memory budget: MemoryBudget = .unlimited,
        patients: [String: PatientOfInstance] = [:], pixels: any PixelCoding = DirectPixelCoding()
    ) throws -> DICOMwebRoutes {
        var blobs: [String: [UInt8]] = [:]
        let stored = try objects.map { object in
            let file =
                try FileMeta(
                    sopClassUID: object.sopClass, sopInstanceUID: object.uid, transferSyntax: object.syntax,
                    sourceAETitle: nil
                ).encoded() + DataSetEncoder(transferSyntax: object.syntax).encode(object.set)
            blobs[object.uid] = file
            var scanner = InstanceScanner(limits: DecodingLimits(), externalValuesAbove: 16 << 10)
            try scanner.consume(file)
            let scanned = try scanner.finish()
            let (kept, bulk) = StoredHeader.split(scanned)
            let instance = Instance(
                studyInstanceUID: study, seriesInstanceUID: object.series, sopInstanceUID: object.uid,
                sopClassUID: object.sopClass, instanceNumber: 1, transferSyntaxUID: object.syntax.uid, rows: nil,
                columns: nil, bitsAllocated: nil,
                numberOfFrames: scanned.pixelData == nil ? 0 : object.set.int(.numberOfFrames) ?? 1,
                blobID: BlobID(object.uid), size: Int64(file.count), dataSetOffset: Int64(scanned.dataSetOffset),
                pixelDataOffset: nil, pixelDataLength: nil, receivedAt: UTCInstant(microseconds: 0),
                receivedFrom: nil)
            return InstanceHeader(
                instance: instance,
                header: try DataSetEncoder(transferSyntax: .explicitVRLittleEndian, definedLengths: true).encode(kept),
                bulk: bulk, frameIndex: scanned.pixelData.map(FrameIndex.encode) ?? [])
        }
        let memory = MemoryBlobs(blobs)
        let authorities = AssigningAuthorities(
            authorities: [], defaultPatientSystem: "urn:p", defaultAccessionSystem: "urn:a")
        return DICOMwebRoutes(
            index: Index(stored: stored, patients: patients), blobs: memory, pixels: pixels,
            ingest: InstanceIngest(store: NoStore(), blobs: memory, authorities: authorities), audit: trail,
            baseURL: "https://h/dicomweb", gate: BulkResponseGate(limit: 4), memory: budget,
            rejections: NoRejections(), newBoundary: { "bound" })
    }

    /// Eight bits, two lines of three pixels a frame, shown as they are.
    static func image(_ frames: [[UInt8]], rows: Int = 2, columns: Int = 3) -> DataSet {
        var set = DataSet()
        set.set(.rows, int: rows)
        set.set(.columns, int: columns)
        set.set(.bitsAllocated, int: 8)
        set.set(.bitsStored, int: 8)
        set.set(.highBit, int: 7)
        set.set(.pixelRepresentation, int: 0)
        set.set(.samplesPerPixel, int: 1)
        set.set(.photometricInterpretation, string: "MONOCHROME2")
        if frames.count > 1 { set.set(.numberOfFrames, int: frames.count) }
        set.set(.pixelData, .OB, bytes: frames.flatMap { $0 })
        return set
    }

    static func png(_ bytes: [UInt8], rows: Int = 2, columns: Int = 3) throws -> [UInt8] {
        let image = try #require(RenderedImage(rows: rows, columns: columns, samplesPerPixel: 1, bytes: bytes))
        return try #require(PNGEncoder.encode(image))
    }

    /// Columns and rows in the head of a PNG.
    static func size(_ png: [UInt8]) -> [Int] {
        [16, 20].map { start in png[start..<start + 4].reduce(0) { $0 << 8 | Int($1) } }
    }

    static let one: [UInt8] = [0, 50, 100, 150, 200, 250]
    static let two: [UInt8] = [1, 51, 101, 151, 201, 251]
    static let three: [UInt8] = [2, 52, 102, 152, 202, 252]

    static func report() -> DataSet {
        var name = DataSet()
        name.set(.codeMeaning, string: "Report <1>")
        var set = DataSet()
        set.set(.valueType, string: "CONTAINER")
        set.set(.conceptNameCodeSequence, items: [name])
        set.set(.contentSequence, items: [])
        return set
    }

    private static func document() -> DataSet {
        var set = DataSet()
        set.set(.encapsulatedDocument, .OB, bytes: Array("%PDF-1".utf8) + [0])
        set.set(.encapsulatedDocumentLength, .UL, int: 6)
        return set
    }

    /// What has no rendered form.
    private static func other() -> DataSet {
        var set = DataSet()
        set.set(.patientID, string: "P1")
        return set
    }

    static func request(
        _ accept: String? = nil, query: String = "", series: String = "1.2.3.1", instance: String = "",
        frames: String = "", ifNoneMatch: String? = nil
    ) -> APIRequest {
        var headers = HTTPFields()
        headers[.accept] = accept
        headers[.ifNoneMatch] = ifNoneMatch
        let parameters = [("study", study), ("series", series), ("instance", instance), ("frames", frames)]
        return APIRequest(
            method: .get, path: "/", rawQuery: query, headers: headers,
            parameters: PathParameters(parameters.filter { !$0.1.isEmpty }),
            access: AccessContext(
                principal: Principal(kind: .client, id: "c"), scopes: [], requestID: "r", sourceAddress: nil))
    }

    static func body(_ response: Response) async throws -> [UInt8] {
        let log = BodyLog()
        try await response.body.write(BodyLog.Writer(log: log))
        return log.bytes
    }

    /// Type, place and content of each part of a multipart body with the boundary of these tests.
    static func parts(_ response: Response) async throws -> [(type: String, place: String, content: [UInt8])] {
        let bytes = try await body(response)
        let mark = Array("--bound\r\n".utf8)
        let end = Array("\r\n--bound".utf8)
        var found: [(type: String, place: String, content: [UInt8])] = []
        var at = 0
        while bytes[at...].starts(with: mark) {
            at += mark.count
            var head: [UInt8] = []
            while !head.suffix(4).elementsEqual([13, 10, 13, 10]) {
                head.append(bytes[at])
                at += 1
            }
            let start = at
            while !bytes[at...].starts(with: end) { at += 1 }
            let fields = String(decoding: head, as: UTF8.self).split(separator: "\r\n").map {
                $0.split(separator: ": ", maxSplits: 1).map(String.init)
            }
            found.append(
                (
                    fields.first { $0[0] == "Content-Type" }?[1] ?? "",
                    fields.first { $0[0] == "Content-Location" }?[1] ?? "", Array(bytes[start..<at])
                ))
            at += 2
        }
        #expect(bytes[at...].elementsEqual("--bound--\r\n".utf8))
        return found
    }

    // MARK: One instance and its frames

    @Test("PS3.18 §8.7.4: JPEG is the default of an image, PNG and GIF come when they are asked for")
    func types() async throws {
        let routes = try Self.routes([Object(set: Self.image([Self.one]), uid: "1.1")])
        for (accept, type, start) in [
            (nil, "image/jpeg", [0xFF, 0xD8, 0xFF]), ("image/*", "image/jpeg", [0xFF, 0xD8, 0xFF]),
            ("image/png", "image/png", [0x89, 0x50, 0x4E]), ("image/avif, image/gif;q=0.5", "image/gif", [0x47, 0x49]),
            ("image/jpeg;q=0, image/*", "image/png", [0x89, 0x50]),
        ] as [(String?, String, [UInt8])] {
            let response = try await routes.renderedInstance(Self.request(accept, instance: "1.1"))
            #expect(response.headers[.contentType] == type)
            #expect(try await Self.body(response).starts(with: start))
        }
        let response = try await routes.renderedInstance(Self.request("image/png", instance: "1.1"))
        #expect(try await Self.body(response) == Self.png(Self.one))
        #expect(
            response.headers[.contentLocation]
                == "https://h/dicomweb/studies/1.2.3/series/1.2.3.1/instances/1.1/frames/1/rendered")
        await #expect(throws: HTTPFailure(.notAcceptable, "")) {
            try await routes.renderedInstance(Self.request("text/html", instance: "1.1"))
        }
        await #expect(throws: HTTPFailure(.notFound, "")) {
            try await routes.renderedInstance(Self.request(instance: "1.9"))
        }
    }

    @Test("PS3.18 §8.3.5: window, viewport and region shape the picture; what is wrong with them is 400")
    func parameters() async throws {
        let routes = try Self.routes([Object(set: Self.image([Self.one]), uid: "1.1")])
        func picture(_ query: String) async throws -> [UInt8] {
            try await Self.body(
                try await routes.renderedInstance(Self.request("image/png", query: query, instance: "1.1")))
        }
        #expect(try await picture("window=125,1,linear-exact") == Self.png([0, 0, 0, 255, 255, 255]))
        #expect(try await Self.size(picture("viewport=30,30")) == [30, 20])
        #expect(
            try await picture("viewport=2,2,1,0,-2,2") == Self.png([100, 50, 250, 200], rows: 2, columns: 2))
        #expect(try await picture("accept=image/png&quality=5") == Self.png(Self.one))
        await #expect(throws: HTTPFailure(.malformed, "")) { try await picture("quality=0") }
        // The region lies beside this image.
        await #expect(throws: RenderingError.regionOutside) { try await picture("viewport=2,2,9,9") }
        #expect(StatusReport().failure(for: RenderingError.regionOutside)?.code == .malformed)
        #expect(StatusReport().failure(for: RenderingError.unsupported("x"))?.code == .notAcceptable)
        #expect(StatusReport().failure(for: RenderingError.tooLarge)?.code == .tooLarge)
        // What is written of a patient changes with the patient: no tag.
        let annotated = try await routes.renderedInstance(
            Self.request("image/png", query: "annotation=technique", instance: "1.1"))
        #expect(annotated.headers[.warning] == nil && annotated.headers[.eTag] == nil)
    }

    @Test("Frames come in the order asked, several as parts; past the last is 404, and no number is 400")
    func frames() async throws {
        let routes = try Self.routes([Object(set: Self.image([Self.one, Self.two, Self.three]), uid: "1.1")])
        let single = try await routes.renderedFrames(Self.request("image/png", instance: "1.1", frames: "2"))
        #expect(try await Self.body(single) == Self.png(Self.two))
        let several = try await routes.renderedFrames(Self.request("image/png", instance: "1.1", frames: "3,1"))
        #expect(several.headers[.contentType] == "multipart/related; type=\"image/png\"; boundary=bound")
        let parts = try await Self.parts(several)
        #expect(parts.map(\.content) == [try Self.png(Self.three), try Self.png(Self.one)])
        #expect(parts.map(\.type) == ["image/png", "image/png"])
        #expect(parts[0].place.hasSuffix("/instances/1.1/frames/3/rendered"))
        for frames in ["4", "1,4"] {
            await #expect(throws: HTTPFailure(.notFound, "")) {
                try await routes.renderedFrames(Self.request(instance: "1.1", frames: frames))
            }
        }
        for frames in ["0", "x", "1,"] {
            await #expect(throws: HTTPFailure(.malformed, "")) {
                try await routes.renderedFrames(Self.request(instance: "1.1", frames: frames))
            }
        }
        // The whole instance: one picture is the one in the middle, parts are all of them.
        let middle = try await routes.renderedInstance(Self.request("image/png", instance: "1.1"))
        #expect(try await Self.body(middle) == Self.png(Self.two))
        let all = try await routes.renderedInstance(
            Self.request("multipart/related; type=\"image/png\"", instance: "1.1"))
        #expect(
            try await Self.parts(all).map(\.content)
                == [try Self.png(Self.one), try Self.png(Self.two), try Self.png(Self.three)])
    }

    @Test("PS3.18 §8.3.5.1.5: colours are converted from the image's own profile, and the picture has the new one")
    func colours() async throws {
        let stored: [UInt8] = [255, 0, 0, 200, 100, 50, 128, 128, 128, 0, 255, 0, 0, 0, 255, 10, 20, 30]
        var set = Self.image([stored])
        set.set(.samplesPerPixel, int: 3)
        set.set(.planarConfiguration, int: 0)
        set.set(.photometricInterpretation, string: "RGB")
        var tagged = set
        // An even length, as a value has.
        let own = OutputColourSpace.displayp3.profile
        tagged.set(DICOMData.Tag(0x0028, 0x2000), .OB, bytes: own)
        var damaged = set
        damaged.set(DICOMData.Tag(0x0028, 0x2000), .OB, bytes: [UInt8](repeating: 1, count: 200))
        let routes = try Self.routes([
            Object(set: tagged, uid: "1.1"), Object(set: set, uid: "1.2"), Object(set: damaged, uid: "1.3"),
            Object(set: Self.image([Self.one]), uid: "1.4"),
        ])
        func picture(_ uid: String, _ query: String, _ type: String = "image/png") async throws -> [UInt8] {
            try await Self.body(
                try await routes.renderedInstance(Self.request(type, query: query, instance: uid)))
        }
        func png(_ bytes: [UInt8], _ profile: [UInt8]?) throws -> [UInt8] {
            let image = try #require(RenderedImage(rows: 2, columns: 3, samplesPerPixel: 3, bytes: bytes))
            return try #require(PNGEncoder.encode(image, iccProfile: profile))
        }
        let frame = try #require(
            NativeFrame(
                rows: 2, columns: 3, samplesPerPixel: 3, sampleBytes: 1, bitsStored: 8, isSigned: false,
                photometricInterpretation: "RGB", bytes: stored))
        for space in OutputColourSpace.allCases {
            let made = try ColourConversion.convert(frame, from: own, to: space.profile).bytes
            #expect(try await picture("1.1", "iccprofile=\(space.rawValue)") == png(made, space.profile))
        }
        let srgb = OutputColourSpace.srgb.profile
        #expect(try ColourConversion.convert(frame, from: own, to: srgb).bytes != stored)
        #expect(try await picture("1.1", "iccprofile=yes") == png(stored, own))
        #expect(try await picture("1.1", "iccprofile=no") == png(stored, nil))
        // Without a profile it is taken for sRGB.
        #expect(try await picture("1.2", "iccprofile=srgb") == png(stored, srgb))
        #expect(try await picture("1.2", "iccprofile=yes") == png(stored, srgb))
        #expect(try await picture("1.2", "iccprofile=no") == png(stored, nil))
        // As JPEG the profile is a segment of its own.
        let jpeg = try await picture("1.1", "iccprofile=srgb", "image/jpeg")
        let place = try #require(jpeg.indices.first { jpeg[$0...].starts(with: Array("ICC_PROFILE\0".utf8)) })
        #expect(jpeg[(place + 14)...].starts(with: srgb))
        // Grey stays what it is.
        #expect(try await picture("1.4", "iccprofile=adobergb") == Self.png(Self.one))
        await #expect(throws: HTTPFailure(.notAcceptable, "")) { try await picture("1.3", "iccprofile=srgb") }
        #expect(try await picture("1.3", "iccprofile=no") == png(stored, nil))
        // What is no profile of RGB stands in no picture of RGB.
        #expect(try await picture("1.3", "iccprofile=yes") == png(stored, nil))
    }

    @Test("A profile counts as memory where it goes into the picture or its colours are converted from it")
    func profilesInMemory() async throws {
        var set = Self.image([(0..<18).map { UInt8($0) }])
        set.set(.samplesPerPixel, int: 3)
        set.set(.planarConfiguration, int: 0)
        set.set(.photometricInterpretation, string: "RGB")
        let profile = OutputColourSpace.displayp3.profile + [UInt8](repeating: 0, count: 1 << 20)
        set.set(DICOMData.Tag(0x0028, 0x2000), .OB, bytes: profile)
        let budget = MemoryBudget(bytesMax: 5 << 19)
        let routes = try Self.routes([Object(set: set, uid: "1.1")], memory: budget)
        for (query, isEnough) in [("iccprofile=no", true), ("iccprofile=yes", false), ("iccprofile=srgb", false)] {
            let answer = try? await routes.renderedInstance(
                Self.request("image/png", query: query, instance: "1.1"))
            #expect((answer != nil) == isEnough, "\(query)")
        }
        #expect(budget.used == 0)
    }

    @Test(
        "A table that was left in the file is brought from it, in the byte order of the file", arguments: [false, true])
    func tablesInTheFile(isBigEndian: Bool) async throws {
        // 16,384 entries of 16 bits, longer than what is kept beside the row; stored value 1 is a half, 2 is white.
        var entries = [Int](repeating: 0xFFFF, count: 16_384)
        entries[0] = 0
        entries[1] = 0x8000
        var table = DataSet()
        table.set(.lutDescriptor, .US, ints: [16_384, 0, 16])
        table.set(.lutData, .OW, bytes: entries.flatMap { [UInt8($0 & 0xFF), UInt8($0 >> 8)] })
        var set = Self.image([[0, 1, 2, 0, 1, 2]])
        set.set(.voilutSequence, items: [table])
        let syntax: TransferSyntax = isBigEndian ? .explicitVRBigEndian : .explicitVRLittleEndian
        let routes = try Self.routes([Object(set: set, uid: "1.1", syntax: syntax)])
        let response = try await routes.renderedInstance(Self.request("image/png", instance: "1.1"))
        #expect(try await Self.body(response) == Self.png([0, 128, 255, 0, 128, 255]))
    }

    @Test("What was brought from the file counts as memory for as long as pictures are made with it, and no longer")
    func tablesInMemory() async throws {
        var table = DataSet()
        table.set(.lutDescriptor, .US, ints: [16_384, 0, 16])
        table.set(.lutData, .OW, bytes: [UInt8](repeating: 1, count: 32_768))
        var set = Self.image([Self.one, Self.two])
        set.set(.voilutSequence, items: [table])
        let budget = MemoryBudget()
        let routes = try Self.routes([Object(set: set, uid: "1.1")], memory: budget)
        do {
            let response = try await routes.renderedInstance(
                Self.request("multipart/related; type=\"image/png\"", instance: "1.1"))
            #expect(budget.used >= 32_768)
            #expect(try await Self.parts(response).count == 2)
        }
        _ = try await routes.renderedInstance(Self.request("image/png", instance: "1.1"))
        #expect(budget.used == 0)
    }

    @Test("A report is HTML or text, escaped; an encapsulated PDF comes as it is; what is neither is 406")
    func texts() async throws {
        let routes = try Self.routes([
            Object(set: Self.report(), uid: "1.1", sopClass: UID.basicTextSRStorage),
            Object(set: Self.document(), uid: "1.2", sopClass: UID.encapsulatedPDFStorage),
            Object(set: Self.other(), uid: "1.3"),
        ])
        let html = try await routes.renderedInstance(Self.request(instance: "1.1"))
        #expect(html.headers[.contentType] == "text/html; charset=utf-8")
        #expect(String(decoding: try await Self.body(html), as: UTF8.self).contains("<h1>Report &lt;1&gt;</h1>"))
        let warned = try await routes.renderedInstance(Self.request(query: "annotation=patient", instance: "1.1"))
        #expect(warned.headers[.warning]?.hasPrefix("299 ") == true)
        let text = try await routes.renderedInstance(Self.request("text/plain", instance: "1.1"))
        #expect(try await Self.body(text).starts(with: "Report <1>\n".utf8))
        let document = try await routes.renderedInstance(Self.request(instance: "1.2"))
        #expect(document.headers[.contentType] == "application/pdf")
        #expect(try await Self.body(document) == Array("%PDF-1".utf8))
        for (accept, uid) in [("image/jpeg", "1.1"), ("image/png", "1.2"), ("*/*", "1.3")] {
            await #expect(throws: HTTPFailure(.notAcceptable, "")) {
                try await routes.renderedInstance(Self.request(accept, instance: uid))
            }
        }
        await #expect(throws: HTTPFailure(.notFound, "")) {
            try await routes.renderedFrames(Self.request(instance: "1.1", frames: "1"))
        }
    }

    // MARK: Studies and series

    @Test("A study comes as parts, each by itself; what has no form of a wanted type is left out")
    func wholeStudy() async throws {
        let routes = try Self.routes([
            Object(set: Self.other(), uid: "1.0"), Object(set: Self.image([Self.one, Self.two]), uid: "1.1"),
            Object(set: Self.report(), series: "1.2.3.2", uid: "1.2", sopClass: UID.basicTextSRStorage),
            Object(set: Self.document(), series: "1.2.3.3", uid: "1.3", sopClass: UID.encapsulatedPDFStorage),
        ])
        let all = try await routes.renderedInstances(Self.request("multipart/related, */*;q=0.1", series: ""))
        #expect(all.headers[.contentType] == "multipart/related; type=\"image/jpeg\"; boundary=bound")
        #expect(
            try await Self.parts(all).map(\.type)
                == ["image/jpeg", "image/jpeg", "text/html; charset=utf-8", "application/pdf"])
        let images = try await routes.renderedInstances(Self.request("image/png", series: ""))
        #expect(
            try await Self.parts(images).map(\.content) == [try Self.png(Self.one), try Self.png(Self.two)])
        let series = try await routes.renderedInstances(Self.request("*/*", series: "1.2.3.2"))
        #expect(
            try await Self.parts(series).map(\.place) == [
                "https://h/dicomweb/studies/1.2.3/series/1.2.3.2/instances/1.2/rendered"
            ])
        await #expect(throws: HTTPFailure(.notAcceptable, "")) {
            try await routes.renderedInstances(Self.request("image/png", series: "1.2.3.2"))
        }
        await #expect(throws: HTTPFailure(.notFound, "")) {
            try await routes.renderedInstances(Self.request(series: "1.2.3.9"))
        }
    }

    @Test("A series of more instances than a page is rendered to its end")
    func pages() async throws {
        let count = DICOMwebRoutes.batch + 5
        let routes = try Self.routes((0..<count).map { Object(set: Self.image([Self.one]), uid: "1.\($0)") })
        let response = try await routes.renderedInstances(Self.request("image/gif"))
        #expect(try await Self.parts(response).count == count)
    }

    // MARK: Thumbnails

    @Test("A thumbnail is that of the middle image of the longest series, fitted into 128 or the viewport")
    func thumbnails() async throws {
        let wide = Self.image([[UInt8](repeating: 9, count: 400 * 200)], rows: 200, columns: 400)
        let routes = try Self.routes([
            Object(set: Self.image([Self.one]), series: "1.2.3.0", uid: "1.0"),
            Object(set: Self.image([Self.one]), uid: "1.1"), Object(set: wide, uid: "1.2"),
            Object(set: Self.image([Self.one]), uid: "1.3"),
            Object(set: Self.report(), series: "1.2.3.2", uid: "1.4", sopClass: UID.basicTextSRStorage),
        ])
        func size(_ query: String = "", series: String = "", instance: String = "", frames: String = "") async throws
            -> [Int]
        {
            let response = try await routes.thumbnail(
                Self.request("image/png", query: query, series: series, instance: instance, frames: frames))
            let kept = instance.isEmpty ? "private, no-cache" : "private, max-age=3600, immutable"
            #expect(response.headers[.cacheControl] == kept)
            return Self.size(try await Self.body(response))
        }
        #expect(try await size() == [128, 64])
        #expect(try await size(series: "1.2.3.1") == [128, 64])
        #expect(try await size("viewport=40,90", series: "1.2.3.1", instance: "1.2") == [40, 20])
        #expect(try await size(series: "1.2.3.1", instance: "1.2", frames: "1") == [128, 64])
        #expect(try await size(series: "1.2.3.0") == [128, 85])
        await #expect(throws: HTTPFailure(.notAcceptable, "")) {
            try await routes.thumbnail(Self.request(series: "1.2.3.2"))
        }
        await #expect(throws: HTTPFailure(.notFound, "")) { try await routes.thumbnail(Self.request(series: "1.9")) }
    }

    @Test(
        "PS3.18 §10.4.3.3.4: a thumbnail has no overlay, and of burned-in text no more than letters of a pixel or two")
    func thumbnailsOfText() async throws {
        var set = Self.image([[UInt8](repeating: 9, count: 400 * 400)], rows: 400, columns: 400)
        set.set(Tag(0x6000, 0x0010), .US, int: 400)
        set.set(Tag(0x6000, 0x0011), .US, int: 400)
        set.set(Tag(0x6000, 0x0050), .SS, ints: [1, 1])
        set.set(Tag(0x6000, 0x3000), .OW, bytes: [UInt8](repeating: 0xFF, count: 20_000))
        let plain = try Self.routes([Object(set: set, uid: "1.1")])
        let side = 300
        let request = Self.request("image/png", query: "viewport=\(side),\(side)", instance: "1.1")
        #expect(
            try await Self.body(try await plain.thumbnail(request))
                == Self.png([UInt8](repeating: 9, count: side * side), rows: side, columns: side))
        // Rendered, the overlay is there.
        #expect(
            try await Self.body(try await plain.renderedInstance(request))
                == Self.png([UInt8](repeating: 255, count: side * side), rows: side, columns: side))
        set.set(.burnedInAnnotation, string: "YES")
        let burned = try Self.routes([Object(set: set, uid: "1.1")])
        #expect(
            Self.size(try await Self.body(try await burned.thumbnail(request)))
                == [DICOMwebRoutes.burnedInSideMax, DICOMwebRoutes.burnedInSideMax])
    }

    // MARK: Audit trail and entity tags

    @Test("Each retrieval has its row, also one that ends with 304; another wish has another tag")
    func tagsAndAudit() async throws {
        let trail = Trail()
        let routes = try Self.routes([Object(set: Self.image([Self.one]), uid: "1.1")], trail)
        let first = try await routes.renderedInstance(Self.request("image/png", instance: "1.1"))
        let tag = try #require(first.headers[.eTag])
        #expect(tag.hasPrefix("W/\""))
        let again = try await routes.renderedInstance(
            Self.request("image/png", instance: "1.1", ifNoneMatch: "\"x\", \(tag)"))
        #expect(again.status == .notModified)
        let other = try await routes.renderedInstance(
            Self.request("image/png", query: "viewport=2,2", instance: "1.1", ifNoneMatch: tag))
        #expect(other.status == .ok)
        _ = try await routes.renderedInstances(Self.request())
        let thumbnail = try await routes.thumbnail(Self.request(instance: "1.1"))
        let kept = try await routes.thumbnail(
            Self.request(instance: "1.1", ifNoneMatch: thumbnail.headers[.eTag]))
        #expect(kept.status == .notModified)
        #expect(
            trail.rows.withLock { $0 }
                == ["instances", "instances", "instances", "rendered", "instances", "instances"])
    }
}
