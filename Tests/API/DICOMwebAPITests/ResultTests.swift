import Access
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

/// Metadata, bulk data, frames and searches through the routes. PS3.18 §8.7.3, §10.4, §10.6, Annex F, PS3.19 §A.1.
/// Cases D3, D6, D7, D15, D17, D21.
@Suite("Results: metadata, bulk data, matches")
struct ResultTests {
    static let uid = "1.2.3"

    final class Index: ImagingIndex {
        let stored: [InstanceHeader]
        let matches: StudyMatches
        let asked = Mutex<StudyQuery?>(nil)
        init(_ stored: [InstanceHeader], _ matches: StudyMatches) {
            self.stored = stored
            self.matches = matches
        }
        func worklist(_ query: WorklistQuery, access: AccessContext) async throws -> [WorklistEntry] { [] }
        func studies(_ query: StudyQuery, access: AccessContext) async throws -> StudyMatches {
            asked.withLock { $0 = query }
            return matches
        }
        func instances(
            studyInstanceUID: String, seriesInstanceUID: String?, sopInstanceUID: String?, after: Instance.Place?,
            limit: Int, access: AccessContext
        ) async throws -> [Instance] {
            after == nil ? found(sopInstanceUID).map(\.instance) : []
        }
        func headers(
            studyInstanceUID: String, seriesInstanceUID: String?, sopInstanceUID: String?, after: Instance.Place?,
            limit: Int, access: AccessContext
        ) async throws -> [InstanceHeader] { after == nil ? found(sopInstanceUID) : [] }
        private func found(_ uid: String?) -> [InstanceHeader] {
            stored.filter { uid == nil || $0.instance.sopInstanceUID == uid }
        }
    }

    private struct NoAudit: AuditTrail {
        func record(_ record: AuditRecord) async throws {}
    }

    static func routes(
        _ set: DataSet? = nil, _ syntax: TransferSyntax = .explicitVRLittleEndian,
        matches: StudyMatches = StudyMatches(matches: [], remaining: 0), archives: ArchiveSearch? = nil
    ) throws -> (DICOMwebRoutes, Index) {
        try routes(of: set.map { [(uid, $0, syntax)] } ?? [], matches: matches, archives: archives)
    }

    /// Of several instances, by their UIDs.
    static func routes(
        of objects: [(uid: String, set: DataSet, syntax: TransferSyntax)],
        matches: StudyMatches = StudyMatches(matches: [], remaining: 0), archives: ArchiveSearch? = nil,
        pixels: any PixelCoding = DirectPixelCoding(), budget: MemoryBudget = .unlimited,
        subject: ObjectSubject? = nil
    ) throws -> (DICOMwebRoutes, Index) {
        var blobs: [String: [UInt8]] = [:]
        var stored: [InstanceHeader] = []
        for (instanceUID, set, syntax) in objects {
            let file =
                try FileMeta(
                    sopClassUID: UID.ctImageStorage, sopInstanceUID: instanceUID, transferSyntax: syntax,
                    sourceAETitle: nil
                ).encoded() + DataSetEncoder(transferSyntax: syntax).encode(set)
            blobs[instanceUID] = file
            var scanner = InstanceScanner(limits: DecodingLimits(), externalValuesAbove: 16 << 10)
            try scanner.consume(file)
            let scanned = try scanner.finish()
            let (kept, bulk) = StoredHeader.split(scanned)
            var instance = Instance(
                studyInstanceUID: uid, seriesInstanceUID: uid, sopInstanceUID: instanceUID,
                sopClassUID: UID.ctImageStorage,
                instanceNumber: 1, transferSyntaxUID: syntax.uid, rows: nil, columns: nil, bitsAllocated: nil,
                numberOfFrames: set.int(.numberOfFrames) ?? 1, blobID: BlobID(instanceUID), size: Int64(file.count),
                dataSetOffset: Int64(scanned.dataSetOffset), pixelDataOffset: nil, pixelDataLength: nil,
                receivedAt: UTCInstant(microseconds: 0), receivedFrom: nil)
            instance.subject = subject
            stored.append(
                InstanceHeader(
                    instance: instance,
                    header: try DataSetEncoder(transferSyntax: .explicitVRLittleEndian, definedLengths: true)
                        .encode(kept),
                    bulk: bulk, frameIndex: scanned.pixelData.map(FrameIndex.encode) ?? []))
        }
        let index = Index(stored, matches)
        let memory = MemoryBlobs(blobs)
        let authorities = AssigningAuthorities(
            authorities: [], defaultPatientSystem: "urn:p", defaultAccessionSystem: "urn:a")
        return (
            DICOMwebRoutes(
                index: index, blobs: memory, pixels: pixels,
                ingest: InstanceIngest(store: NoStore(), blobs: memory, authorities: authorities), audit: NoAudit(),
                baseURL: "https://h/dicomweb", gate: BulkResponseGate(limit: 4), memory: budget, archives: archives,
                rejections: NoRejections(), newBoundary: { "bound" }),
            index
        )
    }

    static func request(
        accept: String? = nil, query: String = "", path: String = "", frames: String = "", isStudy: Bool = false
    ) -> APIRequest {
        var headers = HTTPFields()
        headers[.accept] = accept
        return APIRequest(
            method: .get, path: "/", rawQuery: query, headers: headers,
            parameters: PathParameters(
                [("study", uid)] + (isStudy ? [] : [("series", uid), ("instance", uid)])
                    + (path.isEmpty ? [] : [("path", path)])
                    + (frames.isEmpty ? [] : [("frames", frames)])),
            access: AccessContext(
                principal: Principal(kind: .client, id: "c"), scopes: [], requestID: "r", sourceAddress: nil))
    }

    private static func search(query: String = "", accept: String? = nil) -> APIRequest {
        var headers = HTTPFields()
        headers[.accept] = accept
        return APIRequest(
            method: .get, path: "/", rawQuery: query, headers: headers, parameters: PathParameters([]),
            access: AccessContext(
                principal: Principal(kind: .client, id: "c"), scopes: [], requestID: "r", sourceAddress: nil))
    }

    static func body(_ response: Response) async throws -> [UInt8] {
        let log = BodyLog()
        try await response.body.write(BodyLog.Writer(log: log))
        if let length = response.headers[.contentLength] { #expect(length == "\(log.bytes.count)") }
        return log.bytes
    }

    /// The contents of a multipart body with the boundary of these tests.
    static func parts(_ bytes: [UInt8]) -> [[UInt8]] {
        let text = bytes.map { Character(UnicodeScalar($0)) }
        var parts: [[UInt8]] = []
        for part in String(text).components(separatedBy: "--bound").dropFirst() where !part.hasPrefix("--") {
            guard let head = part.range(of: "\r\n\r\n") else { continue }
            var content = part[head.upperBound...]
            if content.hasSuffix("\r\n") { content = content.dropLast(1) }
            parts.append(content.unicodeScalars.map { UInt8($0.value) })
        }
        return parts
    }

    private static let frameOne: [UInt8] = [0xFF, 0xD8, 0xFF, 1, 2, 3, 0xFF, 0xD9]
    private static let frameTwo: [UInt8] = [0xFF, 0xD8, 0xFF, 4, 5, 6, 7, 8, 0xFF, 0xD9]
    private static let icon: [UInt8] = [0xFF, 0xD8, 0xFF, 9, 9, 9, 9, 9, 9, 9, 0xFF, 0xD9]

    private static func image(_ rows: Int, _ columns: Int, frames: Int = 1) -> DataSet {
        var set = DataSet()
        set.set(.samplesPerPixel, int: 1)
        set.set(.photometricInterpretation, string: "MONOCHROME2")
        set.set(.rows, int: rows)
        set.set(.columns, int: columns)
        set.set(.bitsAllocated, int: 8)
        set.set(.bitsStored, int: 8)
        set.set(.highBit, int: 7)
        set.set(.pixelRepresentation, int: 0)
        if frames > 1 { set.set(.numberOfFrames, int: frames) }
        return set
    }

    /// Two compressed frames, the first in two fragments, and a compressed icon.
    private static func compressed() -> DataSet {
        var icon = image(2, 2)
        icon[.pixelData] = DataElement(.pixelData, .OB, .fragments(EncapsulatedValue(fragments: [self.icon])))
        var set = image(8, 8, frames: 2)
        set.set(.sopClassUID, string: UID.ctImageStorage)
        set.set(.sopInstanceUID, string: uid)
        set.set(.patientName, string: "Doe^Jane")
        set.set(Tag(0x0088, 0x0200), .SQ, items: [icon])
        let fragments = [Array(frameOne[..<4]), Array(frameOne[4...]), frameTwo]
        set[.pixelData] = DataElement(
            .pixelData, .OB, .fragments(EncapsulatedValue(offsetTable: [0, 24], fragments: fragments)))
        return set
    }

    private static func uris(_ json: [UInt8]) throws -> [String] {
        String(decoding: json, as: UTF8.self).components(separatedBy: "\"BulkDataURI\":\"").dropFirst().map {
            String($0.prefix { $0 != "\"" })
        }
    }

    @Test("D6, D7: BulkDataURIs are paths; the image's gives all frames, the icon's the icon's own bytes (§F.2.6)")
    func encapsulated() async throws {
        let (routes, _) = try Self.routes(Self.compressed(), .jpegBaseline)
        let json = try await Self.body(try await routes.metadata(Self.request()))
        let base = "https://h/dicomweb/studies/1.2.3/series/1.2.3/instances/1.2.3/bulkdata/"
        #expect(try Self.uris(json) == [base + "00880200.0.7FE00010", base + "7FE00010"])
        for accept in [nil, "*/*", "multipart/related; type=\"image/jpeg\"", "multipart/related; type=image/jpeg"] {
            let response = try await routes.bulkData(Self.request(accept: accept, path: "7FE00010"))
            #expect(response.headers[.contentType]?.hasPrefix("multipart/related; type=\"image/jpeg\"") == true)
            #expect(Self.parts(try await Self.body(response)) == [Self.frameOne, Self.frameTwo])
        }
        let octets = try await routes.bulkData(
            Self.request(accept: "multipart/related; type=\"application/octet-stream\"", path: "7FE00010"))
        #expect(Self.parts(try await Self.body(octets)) == [Self.frameOne, Self.frameTwo])
        let raw = try await routes.bulkData(Self.request(accept: "application/octet-stream", path: "7FE00010"))
        let value = EncapsulatedValue(
            offsetTable: [0, 24], fragments: [Array(Self.frameOne[..<4]), Array(Self.frameOne[4...]), Self.frameTwo])
        #expect(try await Self.body(raw) == value.encoded)
        #expect(raw.headers[.contentType] == "application/octet-stream;transfer-syntax=1.2.840.10008.1.2.4.50")
        for accept in [
            nil, "image/jpeg", "application/octet-stream",
            "image/jpeg, multipart/related; type=\"application/octet-stream\"; q=0.5",
        ] {
            let response = try await routes.bulkData(Self.request(accept: accept, path: "00880200.0.7FE00010"))
            #expect(try await Self.body(response) == Self.icon, "\(accept ?? "none")")
        }
        let one = try await routes.bulkData(
            Self.request(accept: "multipart/related; type=image/jpeg", path: "00880200.0.7FE00010"))
        #expect(Self.parts(try await Self.body(one)) == [Self.icon])
        for path in ["00880200.1.7FE00010", "00880200.0.7FE00008", "00100010"] {
            await #expect(throws: HTTPFailure.self) { try await routes.bulkData(Self.request(path: path)) }
        }
        await #expect(throws: HTTPFailure.self) {
            try await routes.bulkData(Self.request(accept: "image/png", path: "7FE00010"))
        }
    }

    @Test("Large values in items are sent, and re-coded with their instance")
    func nested() async throws {
        let table = (0..<40_000).map { UInt8(truncatingIfNeeded: $0 * 3) }
        var item = DataSet()
        item.set(Tag(0x0028, 0x3006), .OW, bytes: table)
        var set = Self.image(3, 2)
        set.set(.sopClassUID, string: UID.ctImageStorage)
        set.set(.sopInstanceUID, string: Self.uid)
        set.set(Tag(0x0028, 0x3000), .SQ, items: [item])
        set.set(.pixelData, .OW, bytes: [1, 2, 3, 4, 5, 6])
        for syntax in [
            TransferSyntax.explicitVRLittleEndian, .implicitVRLittleEndian, .explicitVRBigEndian,
            .deflatedExplicitVRLittleEndian,
        ] {
            let (routes, _) = try Self.routes(set, syntax)
            for (path, expected) in [("00283000.0.00283006", table), ("7FE00010", [1, 2, 3, 4, 5, 6])] {
                let isInline = syntax.isDeflated && path != "7FE00010"
                if isInline { continue }
                let response = try await routes.bulkData(Self.request(path: path))
                #expect(try await Self.body(response) == expected, "\(syntax) \(path)")
            }
            let whole = try await routes.retrieve(
                Self.request(accept: "application/dicom; transfer-syntax=1.2.840.10008.1.2.1"))
            let file = try Part10File.decode(try await Self.body(whole))
            #expect(file.dataSet.item(Tag(0x0028, 0x3000))?.bytes(Tag(0x0028, 0x3006)) == table, "\(syntax)")
            #expect(file.dataSet.bytes(.pixelData) == [1, 2, 3, 4, 5, 6])
        }
    }

    @Test("PS3.5 §6.2.2: a value too long for the length that its VR has with explicit VR is re-coded as UN")
    func longValue() async throws {
        let offsets = Tag(0x3004, 0x000C)
        let text = Array(Array(repeating: "12.5", count: 14_000).joined(separator: "\\").utf8)
        var set = Self.image(3, 2)
        set.set(.sopClassUID, string: UID.ctImageStorage)
        set.set(.sopInstanceUID, string: Self.uid)
        set.set(offsets, .DS, bytes: text)
        set.set(.pixelData, .OW, bytes: [1, 2, 3, 4, 5, 6])
        let (routes, _) = try Self.routes(set, .implicitVRLittleEndian)
        let whole = try await routes.retrieve(
            Self.request(accept: "application/dicom; transfer-syntax=1.2.840.10008.1.2.1"))
        let body = try await Self.body(whole)
        // 70,000 bytes.
        #expect(body.firstRange(of: [0x04, 0x30, 0x0C, 0x00, 0x55, 0x4E, 0, 0, 0x70, 0x11, 0x01, 0x00]) != nil)
        let file = try Part10File.decode(body)
        #expect(file.dataSet.bytes(offsets) == text + [0x20])
        #expect(file.dataSet.bytes(.pixelData) == [1, 2, 3, 4, 5, 6])
    }

    @Test("D21: frames of OW in Explicit VR Big Endian are those of the little endian instance, also odd ones")
    func oddFrames() async throws {
        var set = Self.image(3, 3, frames: 3)
        set.set(.samplesPerPixel, int: 3)
        set.set(.photometricInterpretation, string: "RGB")
        set.set(.planarConfiguration, int: 0)
        let pixels = (1...82).map { UInt8($0) }
        set.set(.pixelData, .OW, bytes: Array(pixels[..<81]) + [0])
        set.set(.sopInstanceUID, string: Self.uid)
        for syntax in [TransferSyntax.explicitVRBigEndian, .explicitVRLittleEndian] {
            let (routes, _) = try Self.routes(set, syntax)
            for frame in 1...3 {
                let response = try await routes.frames(
                    Self.request(accept: "application/octet-stream", frames: "\(frame)"))
                #expect(try await Self.body(response) == Array(pixels[(frame - 1) * 27..<frame * 27]), "\(frame)")
            }
            let all = try await routes.frames(Self.request(frames: "3,1"))
            #expect(Self.parts(try await Self.body(all)) == [Array(pixels[54..<81]), Array(pixels[..<27])])
        }
    }

    // MARK: XML

    @Test("D17: metadata as XML, by parts or alone (§8.7.3, PS3.19 §A.1)")
    func xmlMetadata() async throws {
        let (routes, _) = try Self.routes(Self.compressed(), .jpegBaseline)
        let uri = "https://h/dicomweb/studies/1.2.3/series/1.2.3/instances/1.2.3/bulkdata/7FE00010"
        for accept in [
            "multipart/related; type=\"application/dicom+xml\"", "multipart/related; type=application/dicom+xml",
            "application/dicom+xml", "application/dicom+xml, application/dicom+json;q=0.5",
        ] {
            let response = try await routes.metadata(Self.request(accept: accept))
            var bytes = try await Self.body(response)
            if accept.hasPrefix("multipart") {
                #expect(
                    response.headers[.contentType]
                        == "multipart/related; type=\"application/dicom+xml\"; boundary=bound")
                bytes = try #require(Self.parts(bytes).first)
            } else {
                #expect(response.headers[.contentType] == "application/dicom+xml")
            }
            let text = String(decoding: bytes, as: UTF8.self)
            #expect(text.hasPrefix("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<NativeDicomModel"))
            #expect(text.hasSuffix("</NativeDicomModel>\n"))
            #expect(
                text.contains(
                    "<DicomAttribute tag=\"00100010\" vr=\"PN\" keyword=\"PatientName\"><PersonName number=\"1\">"
                        + "<Alphabetic><FamilyName>Doe</FamilyName><GivenName>Jane</GivenName></Alphabetic>"))
            #expect(text.contains("<BulkData uri=\"\(uri)\"/>"))
        }
        let json = try await routes.metadata(
            Self.request(accept: "application/dicom+xml;q=0.5, application/dicom+json"))
        #expect(json.headers[.contentType] == "application/dicom+json")
        await #expect(throws: HTTPFailure.self) { try await routes.metadata(Self.request(accept: "text/csv")) }
    }

    private static func match(_ study: String) -> StudyMatch {
        StudyMatch(
            study: Study(
                id: EntityID(study), studyInstanceUID: study, reconciliation: .quarantined(.missingPatientID),
                attributes: StudyAttributes(), updatedAt: UTCInstant(microseconds: 0)), modalitiesInStudy: ["CT"],
            numberOfStudyRelatedSeries: 1, numberOfStudyRelatedInstances: 1)
    }

    @Test("Table 14.1.3-1: JSON as the one part of a multipart answer, also of metadata, and where nothing matches")
    func jsonParts() async throws {
        let accept = "multipart/related; type=\"application/dicom+json\""
        let type = accept + "; boundary=bound"
        for count in 0...2 {
            let (routes, _) = try Self.routes(
                matches: StudyMatches(matches: (0..<count).map { Self.match("1.\($0)") }, remaining: 0))
            let response = try await routes.search(.study, Self.search(accept: accept))
            #expect(response.status == .ok && response.headers[.contentType] == type)
            let parts = Self.parts(try await Self.body(response))
            #expect(parts.count == 1)
            #expect(try DICOMJSON.decode(parts.first ?? []).count == count)
        }
        let (routes, _) = try Self.routes(Self.compressed(), .jpegBaseline)
        let metadata = try await routes.metadata(Self.request(accept: accept))
        #expect(metadata.headers[.contentType] == type && metadata.headers[.eTag] == nil)
        let plain = try await routes.metadata(Self.request(accept: "application/dicom+json"))
        let (parted, whole) = (try await Self.body(metadata), try await Self.body(plain))
        #expect(Self.parts(parted) == [whole])
    }

    @Test("D17: matches as XML: one is a document, several are parts, none is 204")
    func xmlMatches() async throws {
        for (count, accept, type) in [
            (1, "application/dicom+xml", "application/dicom+xml"),
            (2, "application/dicom+xml", "multipart/related; type=\"application/dicom+xml\"; boundary=bound"),
            (
                2, "multipart/related; type=\"application/dicom+xml\"",
                "multipart/related; type=\"application/dicom+xml\"; boundary=bound"
            ),
        ] {
            let (routes, _) = try Self.routes(
                matches: StudyMatches(matches: (0..<count).map { Self.match("1.\($0)") }, remaining: 0))
            let response = try await routes.search(.study, Self.search(accept: accept))
            #expect(response.status == .ok)
            #expect(response.headers[.contentType] == type)
            let bytes = try await Self.body(response)
            #expect(type.hasPrefix("multipart") ? Self.parts(bytes).count == count : !bytes.isEmpty)
        }
        let (routes, _) = try Self.routes()
        let none = try await routes.search(.study, Self.search(accept: "application/dicom+xml"))
        #expect(none.status == .noContent)
        #expect(none.headers[.contentType] == nil)
        let json = try await routes.search(.study, Self.search())
        #expect(json.status == .ok)
        #expect(try await Self.body(json) == Array("[]".utf8))
    }

    // MARK: Searches

    @Test("D15: where the list is cut a warning says by how much (§8.3.4)")
    func warnings() async throws {
        for (remaining, query, expected) in [
            (0, "", nil), (0, "fuzzymatching=true", nil), (0, "fuzzymatching=false", nil),
            (7, "", "299 hilum \"There are 7 additional results that can be requested\""),
            (
                1001, "fuzzymatching=true",
                "299 hilum \"There are more than 1000 additional results that can be requested\""
            ),
        ] as [(Int, String, String?)] {
            let (routes, _) = try Self.routes(
                matches: StudyMatches(matches: [Self.match("1.2")], remaining: remaining))
            let response = try await routes.search(.study, Self.search(query: query))
            #expect(response.headers[.warning] == expected)
        }
    }

    private struct Archives: ArchiveDirectory, PeerDirectory, Workflow.Clock {
        let end: ArchiveAnswer.End
        func search(_ query: ArchiveQuery, at archive: Peer) async -> ArchiveAnswer { ArchiveAnswer(end: end) }
        func peer(kind: Peer.Kind, name: String) async throws -> Peer? { nil }
        func peers() async throws -> [Peer] {
            var peer = Peer(kind: .applicationEntity, name: "PACS", host: "h", port: 104, offers: [.find])
            peer.archive = ArchiveCapabilities()
            return [peer]
        }
        func save(_ peer: Peer) async throws {}
        func removePeer(kind: Peer.Kind, name: String) async throws -> Bool { false }
        func now() -> UTCInstant { UTCInstant(microseconds: 0) }
    }

    @Test("An archive that does not answer takes nothing from what lies here, and a warning tells of it (§8.3.4.4)")
    func archives() async throws {
        let partial =
            "299 hilum \"The results may be incomplete: an archive did not answer or cannot match the query\""
        let whole = AccessContext(
            principal: Principal(kind: .client, id: "c"), scopes: [], isUnrestricted: true, requestID: "r")
        for (end, query, expected) in [
            (.whole, "PatientID=1", nil), (.failed("x"), "PatientID=1", partial), (.cut, "PatientID=1", partial),
            // Nothing that an archive can be asked.
            (.whole, "", partial),
        ] as [(ArchiveAnswer.End, String, String?)] {
            let archives = Archives(end: end)
            let (routes, _) = try Self.routes(
                matches: StudyMatches(matches: [Self.match("1.2")], remaining: 0),
                archives: ArchiveSearch(
                    peers: archives, directory: archives, store: NoStore(), audit: NoAudit(), clock: archives))
            let response = try await routes.search(
                .study,
                APIRequest(
                    method: .get, path: "/", rawQuery: query, headers: HTTPFields(), parameters: PathParameters([]),
                    access: whole))
            #expect(response.status == .ok && response.headers[.warning] == expected, "\(query)")
        }
    }

    @Test("D1, D3: a query's date and time are one period, and what is no date is 400")
    func keys() async throws {
        let (routes, index) = try Self.routes()
        _ = try await routes.search(
            .study, Self.search(query: "StudyDate=20260112-20260113&StudyTime=2200-0200&PatientName=Doe*"))
        let query = try #require(index.asked.withLock { $0 })
        #expect(query.keys.periods.count == 1)
        #expect(query.keys[.patientName] == .name("Doe*"))
        for bad in [
            "StudyDate=2026-01-05", "StudyDate=20261301", "StudyTime=2460", "PatientBirthDate=1970",
            "StudyInstanceUID=a", "SeriesNumber=x",
        ] {
            await #expect(throws: HTTPFailure.self, "\(bad)") {
                try await routes.search(.study, Self.search(query: bad))
            }
        }
    }
}

extension String {
    /// Without Foundation.
    fileprivate func components(separatedBy separator: String) -> [String] {
        var parts: [String] = []
        var rest = self[...]
        while let range = rest.range(of: separator) {
            parts.append(String(rest[..<range.lowerBound]))
            rest = rest[range.upperBound...]
        }
        return parts + [String(rest)]
    }
}

extension StringProtocol {
    fileprivate func range(of text: String) -> Range<Index>? {
        ranges(of: text).first
    }
}
