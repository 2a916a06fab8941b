import Access
import Basics
import Cryptography
import DICOMData
import NIOCore
import NIOHTTP1
import PixelCodecs
import Synchronization
import TestSupport
import Testing
import Workflow

@testable import DICOMTranslation
@testable import OutboundAdapter

/// PS3.18 §10.5 as user agent from the outbox, with the tokens of SMART App Launch 2.2 backend-services.
@Suite(.takingTurns) struct STOWCourierTests {
    private static let uid = "1.2.3.1.1"
    private static let seconds: Int64 = 1_767_225_600

    /// One stored instance.
    private struct Store: ImagingIndex, BlobStoring {
        struct Reader: BlobReading {
            let bytes: [UInt8]
            var count: Int64 { Int64(bytes.count) }
            func perform<Value: Sendable>(_ work: @escaping @Sendable () throws -> Value) async throws -> Value {
                try work()
            }
            func fill(_ target: UnsafeMutableRawBufferPointer, at offset: Int64) throws {
                target.copyBytes(from: bytes[Int(offset)..<Int(offset) + target.count])
            }
        }
        let file: [UInt8]
        let header: InstanceHeader
        /// Headers are not found, while the row of the instance is.
        var hidesHeaders = false

        /// What any instance has here.
        private static func dataSet() -> DataSet {
            var set = DataSet()
            set.set(.sopClassUID, string: UID.ctImageStorage)
            set.set(.sopInstanceUID, string: uid)
            set.set(.studyInstanceUID, string: "1.2.3")
            set.set(.seriesInstanceUID, string: "1.2.3.1")
            set.set(.patientID, string: "CANARY")
            return set
        }

        init(_ syntax: TransferSyntax = .explicitVRLittleEndian, pixels: [UInt8] = [1, 2, 3, 4]) throws {
            var set = Self.dataSet()
            let kept = try DataSetEncoder(transferSyntax: .explicitVRLittleEndian).encode(set)
            set[.pixelData] = DataElement(.pixelData, .OW, bytes: pixels)
            let meta = try FileMeta(sopClassUID: UID.ctImageStorage, sopInstanceUID: uid, transferSyntax: syntax)
                .encoded()
            file = try meta + DataSetEncoder(transferSyntax: syntax).encode(set)
            let instance = Instance(
                studyInstanceUID: "1.2.3", seriesInstanceUID: "1.2.3.1", sopInstanceUID: uid,
                sopClassUID: UID.ctImageStorage, instanceNumber: 1, transferSyntaxUID: syntax.uid, rows: nil,
                columns: nil, bitsAllocated: nil, numberOfFrames: 1, blobID: BlobID("b"), size: Int64(file.count),
                dataSetOffset: Int64(meta.count), pixelDataOffset: nil, pixelDataLength: nil,
                receivedAt: UTCInstant(microseconds: 1), receivedFrom: "CT1")
            header = InstanceHeader(
                instance: instance, header: kept,
                bulk: [
                    .init(
                        path: "7FE00010", vr: "OW", offset: Int64(file.count - pixels.count),
                        length: Int64(pixels.count))
                ], frameIndex: [])
        }

        /// An image of so many frames of 3 x 5 pixels, compressed.
        init(compressed syntax: TransferSyntax, frames: [[UInt8]]) throws {
            var set = Self.dataSet()
            set.set(.samplesPerPixel, int: 1)
            set.set(.photometricInterpretation, string: "MONOCHROME2")
            set.set(.numberOfFrames, int: frames.count)
            for (tag, value) in [
                (Tag.rows, 3), (.columns, 5), (.bitsAllocated, 8), (.bitsStored, 8), (.highBit, 7),
                (.pixelRepresentation, 0),
            ] { set.set(tag, int: value) }
            let fragments = try frames.map { try STOWCourierTests.coded($0, as: syntax) }
            set[.pixelData] = DataElement(.pixelData, .OB, .fragments(EncapsulatedValue(fragments: fragments)))
            file = try Part10File(dataSet: set, transferSyntax: syntax).encode()
            var scanner = InstanceScanner(externalValuesAbove: 1 << 10)
            try scanner.consume(file)
            let scanned = try scanner.finish()
            let (kept, bulk) = StoredHeader.split(scanned)
            header = InstanceHeader(
                instance: Instance(
                    studyInstanceUID: "1.2.3", seriesInstanceUID: "1.2.3.1", sopInstanceUID: uid,
                    sopClassUID: UID.ctImageStorage, instanceNumber: 1, transferSyntaxUID: syntax.uid, rows: 3,
                    columns: 5, bitsAllocated: 8, numberOfFrames: frames.count, blobID: BlobID("b"),
                    size: Int64(file.count), dataSetOffset: Int64(scanned.dataSetOffset), pixelDataOffset: nil,
                    pixelDataLength: nil, receivedAt: UTCInstant(microseconds: 1), receivedFrom: "CT1"),
                header: try DataSetEncoder(transferSyntax: .explicitVRLittleEndian, definedLengths: true)
                    .encode(kept), bulk: bulk, frameIndex: scanned.pixelData.map(FrameIndex.encode) ?? [])
        }

        func worklist(_ query: WorklistQuery, access: AccessContext) async throws -> [WorklistEntry] { [] }
        func studies(_ query: StudyQuery, access: AccessContext) async throws -> StudyMatches {
            StudyMatches(matches: [], remaining: 0)
        }
        func instances(
            studyInstanceUID: String, seriesInstanceUID: String?, sopInstanceUID: String?, after: Instance.Place?,
            limit: Int, access: AccessContext
        ) async throws -> [Instance] { [header.instance] }
        func headers(
            studyInstanceUID: String, seriesInstanceUID: String?, sopInstanceUID: String?, after: Instance.Place?,
            limit: Int, access: AccessContext
        ) async throws -> [InstanceHeader] { hidesHeaders ? [] : [header] }
        func create() throws -> any BlobWriting { throw StoreError(.misuse, "test") }
        func open<Value: Sendable>(
            _ id: BlobID, then work: @escaping @Sendable (any BlobReading) throws -> Value
        ) async throws -> Value { try work(Reader(bytes: file)) }
        func remove(_ id: BlobID) async throws {}
    }

    /// A frame of 3 x 5 pixels.
    private static func coded(_ bytes: [UInt8], as syntax: TransferSyntax) throws -> [UInt8] {
        let frame = try #require(
            NativeFrame(
                rows: 3, columns: 5, samplesPerPixel: 1, sampleBytes: 1, bitsStored: 8, isSigned: false,
                photometricInterpretation: "MONOCHROME2", bytes: bytes))
        let coded = try FrameEncoder.encode(frame, as: syntax).bytes
        return coded.count % 2 == 0 ? coded : coded + [0]
    }

    /// Seconds that a test moves.
    private final class Hand: Sendable {
        private let moved = Mutex<Int64>(0)
        var now: UTCInstant { UTCInstant(microseconds: (seconds + moved.withLock { $0 }) * 1_000_000) }
        private let start = ContinuousClock.now
        var instant: ContinuousClock.Instant { start + .seconds(moved.withLock { $0 }) }
        func advance(_ seconds: Int64) { moved.withLock { $0 += seconds } }
    }

    private static func entry(attempts: Int = 0) -> OutboxEntry {
        let draft = ForwardedInstance(
            destination: "cloud", studyInstanceUID: "1.2.3", seriesInstanceUID: "1.2.3.1", sopInstanceUID: uid
        ).draft
        let time = UTCInstant(microseconds: 1)
        return OutboxEntry(
            number: 1, eventID: EntityID("0123456789abcdefghjkmnpqrs"), destination: draft.destination,
            orderingKey: draft.orderingKey, kind: draft.kind, payload: draft.payload, state: .leased,
            attempts: attempts, createdAt: time, waitingSince: time, nextAttemptAt: time)
    }

    /// Delivers to a server that answers as it is told.
    private static func run(
        _ store: Store, tokenKey: PrivateKey? = nil, hand: Hand = Hand(), attempts: Int = 0,
        rewriting: InstanceRewriting = InstanceRewriting(), taken: [TransferSyntax] = [],
        transcoding: PixelTranscoding? = nil, times: Int = 1,
        _ answer: @escaping @Sendable (StoreServer.Call, Int) -> StoreServer.Answer
    ) async throws -> (outcomes: [DeliveryOutcome], calls: [StoreServer.Call]) {
        let found = Mutex<(outcomes: [DeliveryOutcome], calls: [StoreServer.Call])>(([], []))
        try await StoreServer.run(answer) { server, port, authority in
            let policy = OutboundPolicy(allowedNetworks: ["127.0.0.0/8"].compactMap { IPNetwork($0) })
            var limits = HTTPSOutbound.Limits()
            (limits.connect, limits.idle) = (.minutes(10), .minutes(10))
            let sender = HTTPSSender(HTTPSOutbound(policy: policy, limits: limits, authoritiesFile: authority))
            let numbers = Mutex(0)
            let tokens = tokenKey.map { key in
                AccessTokenSource(
                    .init(
                        tokenURL: "https://127.0.0.1:\(port)/token", clientID: "hilum & co", scope: "system/*.cruds",
                        key: key, keyID: "k1"), sender: sender, now: { hand.now },
                    newID: {
                        numbers.withLock {
                            $0 += 1; return "jti-\($0)"
                        }
                    })
            }
            var terms = ForwardingTerms(name: "cloud")
            terms.rewriting = rewriting
            let courier = STOWCourier(
                Forwarding(terms, index: store, blobs: store) { hand.now },
                to: "https://127.0.0.1:\(port)/dicomweb/studies", index: store, sender: sender, tokens: tokens,
                taken: taken, transcoding: transcoding, now: { hand.instant })
            for _ in 0..<times {
                let outcome = await courier.deliver(entry(attempts: attempts))
                found.withLock { $0.outcomes.append(outcome) }
            }
            found.withLock { $0.calls = server.calls }
            await sender.close()
        }
        return found.withLock { $0 }
    }

    /// The file in a body of one part.
    private static func file(_ call: StoreServer.Call) throws -> (header: String, bytes: [UInt8]) {
        let boundary = "--hilum-0123456789abcdefghjkmnpqrs"
        let end = Array("\r\n\(boundary)--\r\n".utf8)
        let cut = try #require(call.body.firstRange(of: Array("\r\n\r\n".utf8)))
        #expect(call.body.starts(with: Array((boundary + "\r\n").utf8)))
        #expect(call.body.suffix(end.count).elementsEqual(end))
        return (
            String(decoding: call.body[..<cut.lowerBound], as: UTF8.self),
            Array(call.body[cut.upperBound..<(call.body.count - end.count)])
        )
    }

    @Test(
        "PS3.18 §8.6.1.2.1: the file goes as it is stored, in one part that names its syntax"
    )
    func stored() async throws {
        let store = try Store(pixels: [UInt8](repeating: 7, count: 3_000_001))
        let (outcomes, calls) = try await Self.run(store) { _, _ in .init() }
        #expect(outcomes == [.delivered])
        let call = try #require(calls.first)
        #expect(call.uri == "/dicomweb/studies")
        #expect(
            call.headers["Content-Type"] == [
                "multipart/related; type=\"application/dicom\"; boundary=hilum-0123456789abcdefghjkmnpqrs"
            ])
        #expect(call.headers["Content-Length"] == ["\(call.body.count)"])
        #expect(call.headers["Authorization"] == [])
        let (header, bytes) = try Self.file(call)
        #expect(header.hasSuffix("Content-Type: application/dicom; transfer-syntax=1.2.840.10008.1.2.1"))
        #expect(bytes == store.file)
    }

    @Test("PS3.18 §8.7.3: without VR or in big endian no file goes over the web", arguments: [false, true])
    func recoded(_ isBig: Bool) async throws {
        let store = try Store(isBig ? .explicitVRBigEndian : .implicitVRLittleEndian)
        let (outcomes, calls) = try await Self.run(store) { _, _ in .init() }
        #expect(outcomes == [.delivered])
        let (header, bytes) = try Self.file(try #require(calls.first))
        #expect(header.hasSuffix("transfer-syntax=1.2.840.10008.1.2.1"))
        let file = try Part10File.decode(bytes)
        #expect(file.meta.transferSyntaxUID == TransferSyntax.explicitVRLittleEndian.uid)
        #expect(file.dataSet[.pixelData]?.bytes == [1, 2, 3, 4])
        #expect(file.dataSet.string(.patientID) == "CANARY")
    }

    @Test("PS3.15 §E.1.1: of a patient whose identity was removed nothing is in the request, its headers or its URL")
    func deidentified() async throws {
        let pseudonyms = try #require(Pseudonyms(key: [UInt8](repeating: 7, count: 32)))
        let (outcomes, calls) = try await Self.run(
            try Store(),
            rewriting: InstanceRewriting(
                deidentifier: Deidentifier(profile: DeidentificationProfile(), pseudonyms: pseudonyms))
        ) { _, _ in .init() }
        #expect(outcomes == [.delivered])
        let call = try #require(calls.first)
        let (_, bytes) = try Self.file(call)
        let file = try Part10File.decode(bytes)
        #expect(file.meta.sopInstanceUID == pseudonyms.uid(Self.uid))
        #expect(file.dataSet.uid(.sopInstanceUID) == pseudonyms.uid(Self.uid))
        for text in ["CANARY", "1.2.3.1"] {
            #expect(call.body.firstRange(of: Array(text.utf8)) == nil)
            #expect(!"\(call.uri) \(call.headers)".contains(text))
        }
    }

    @Test("PS3.15 §E.1: what cannot be de-identified is not sent as it is stored")
    func nothingAsStored() async throws {
        let pseudonyms = try #require(Pseudonyms(key: [UInt8](repeating: 7, count: 32)))
        var store = try Store()
        store.hidesHeaders = true
        let (outcomes, calls) = try await Self.run(
            store,
            rewriting: InstanceRewriting(
                deidentifier: Deidentifier(profile: DeidentificationProfile(), pseudonyms: pseudonyms))
        ) { _, _ in .init() }
        #expect(calls.isEmpty)
        guard case .withdrawn = outcomes.first else {
            Issue.record("\(outcomes)")
            return
        }
    }

    @Test("PS3.18 Table 10.5.3-1: each answer by its class, of the instance's own reason where it has one")
    func answers() async throws {
        func failed(_ reason: Int, _ uid: String = STOWCourierTests.uid) -> String {
            "{\"00081198\":{\"vr\":\"SQ\",\"Value\":[{\"00081155\":{\"vr\":\"UI\",\"Value\":[\"\(uid)\"]},"
                + "\"00081197\":{\"vr\":\"US\",\"Value\":[\(reason)]}}]}}"
        }
        let warned = "{\"00081199\":{\"vr\":\"SQ\",\"Value\":[{\"00081196\":{\"vr\":\"US\",\"Value\":[45056]}}]}}"
        let notTaken =
            ": the transfer syntax is not taken; list those that are as `transfer-syntaxes` of the destination in "
            + "`routing`"
        let cases: [(Int, String, Int, String)] = [
            (200, "", 0, "delivered"), (200, "no JSON", 0, "delivered"), (202, warned, 0, "delivered"),
            (200, failed(0xA900), 0, "permanent cloud answers 200, reason A900"),
            (202, failed(0xA700), 0, "overloaded 17"),
            (409, failed(0xC122), 0, "permanent cloud answers 409, reason C122" + notTaken),
            (409, failed(0x0122), 0, "permanent cloud answers 409, reason 0122"),
            (409, failed(0x0110), 0, "transient cloud answers 409, reason 0110"),
            (409, failed(0x0111), 1, "delivered"), (409, failed(0x0111), 0, "permanent cloud answers 409, reason 0111"),
            (409, "", 0, "permanent cloud answers 409 without a reason"),
            (409, "{\"0008119A\":{\"vr\":\"SQ\",\"Value\":[{}]}}", 0, "permanent cloud answers 409, reason C000"),
            (400, "", 0, "permanent cloud answers 400"), (413, "", 0, "permanent cloud answers 413"),
            (415, "", 0, "permanent cloud answers 415" + notTaken),
            (302, "", 0, "unreachable cloud answers 302; redirects are not followed"),
            (401, "", 0, "unreachable cloud answers 401: the token or its scope is not taken"),
            (404, "", 0, "unreachable cloud answers 404: there is no Store service at the URL"),
            (500, "", 0, "transient cloud answers 500"), (502, "", 0, "unreachable cloud answers 502"),
            (503, "", 0, "overloaded 17"), (429, "", 0, "overloaded 17"),
        ]
        for (status, body, attempts, expected) in cases {
            let (outcomes, _) = try await Self.run(try Store(), attempts: attempts) { _, _ in
                .init(status: status, headers: [("Retry-After", "17")], body: body)
            }
            let told = outcomes.map { outcome in
                switch outcome {
                case .delivered: "delivered"
                case .permanent(let text): "permanent " + text
                case .transient(let text): "transient " + text
                case .unreachable(let text): "unreachable " + text
                case .overloaded(_, let seconds): "overloaded \(seconds ?? -1)"
                default: "\(outcome)"
                }
            }
            #expect(told == [expected])
        }
    }

    @Test(
        "PS3.18 Table I.2-2: what is refused for its transfer syntax is sent once more, decoded, as the same instance",
        arguments: [415, 0xC122, 0x0122])
    func decoded(_ refusal: Int) async throws {
        let frames = (0..<3).map { frame in (0..<15).map { UInt8(frame * 60 + $0 * 3) } }
        let store = try Store(compressed: .rleLossless, frames: frames)
        let refused =
            "{\"00081198\":{\"vr\":\"SQ\",\"Value\":[{\"00081197\":{\"vr\":\"US\",\"Value\":[\(refusal)]}}]}}"
        let answer: @Sendable (StoreServer.Call, Int) -> StoreServer.Answer = { _, number in
            if number > 0 { return .init() }
            return refusal == 415 ? .init(status: 415) : .init(status: 409, body: refused)
        }
        let (outcomes, calls) = try await Self.run(
            store, transcoding: PixelTranscoding(DirectPixelCoding()), answer)
        #expect(outcomes == [.delivered] && calls.count == 2)
        let (first, asStored) = try Self.file(try #require(calls.first))
        #expect(first.hasSuffix("transfer-syntax=\(TransferSyntax.rleLossless.uid)") && asStored == store.file)
        let call = try #require(calls.last)
        #expect(call.headers["Content-Length"] == ["\(call.body.count)"])
        let (second, bytes) = try Self.file(call)
        #expect(second.hasSuffix("transfer-syntax=\(TransferSyntax.explicitVRLittleEndian.uid)"))
        let file = try Part10File.decode(bytes)
        #expect(file.meta.transferSyntaxUID == TransferSyntax.explicitVRLittleEndian.uid)
        #expect(file.dataSet.uid(.sopInstanceUID) == Self.uid && file.meta.sopInstanceUID == Self.uid)
        #expect(file.dataSet[.pixelData]?.bytes == frames.flatMap { $0 } + [0])
        #expect(file.dataSet.string(.patientID) == "CANARY")
        // Where nothing decodes, and of what is not compressed, the refusal stands.
        let (alone, once) = try await Self.run(store, answer)
        #expect(alone != [.delivered] && once.count == 1)
        let (plain, sent) = try await Self.run(
            try Store(), transcoding: PixelTranscoding(DirectPixelCoding()), answer)
        #expect(plain != [.delivered] && sent.count == 1)
    }

    @Test(
        "A transfer syntax that a server refuses is not sent to it again for an hour, unless it refuses decoded images")
    func remembered() async throws {
        let store = try Store(compressed: .rleLossless, frames: [[UInt8](repeating: 9, count: 15)])
        let hand = Hand()
        // Of five images the third comes when the hour is over; before the fourth the server is changed.
        let statuses = [415, 200, 200, 415, 200, 415, 200, 200]
        let (outcomes, calls) = try await Self.run(
            store, hand: hand, transcoding: PixelTranscoding(DirectPixelCoding()), times: 5
        ) { _, number in
            if number == 2 { hand.advance(3_600) }
            return .init(status: statuses[number])
        }
        #expect(outcomes == [DeliveryOutcome](repeating: .delivered, count: 5))
        let areStored = try calls.map { try Self.file($0).header.hasSuffix(TransferSyntax.rleLossless.uid) }
        #expect(areStored == [true, false, false, true, false, false, true, true])
    }

    @Test("PS3.18 §8.7.3: a server that takes certain transfer syntaxes is sent the first that nothing is lost in")
    func taken() async throws {
        let frames = (0..<3).map { frame in (0..<15).map { UInt8(frame * 60 + $0 * 3) } }
        let store = try Store(compressed: .rleLossless, frames: frames)
        let transcoding = PixelTranscoding(DirectPixelCoding())
        let cases: [(taken: [TransferSyntax], sent: TransferSyntax)] = [
            ([.jpegLSLossless, .rleLossless], .rleLossless),
            ([.jpegBaseline, .jpegLSNearLossless, .jpegLSLossless, .explicitVRLittleEndian], .jpegLSLossless),
            ([.htj2kLossless, .explicitVRLittleEndian, .jpegLSLossless], .explicitVRLittleEndian),
        ]
        for (taken, syntax) in cases {
            let (outcomes, calls) = try await Self.run(store, taken: taken, transcoding: transcoding) { _, _ in
                .init()
            }
            #expect(outcomes == [.delivered] && calls.count == 1)
            let call = try #require(calls.first)
            #expect(call.headers["Content-Length"] == ["\(call.body.count)"])
            let (header, bytes) = try Self.file(call)
            #expect(header.hasSuffix("Content-Type: application/dicom; transfer-syntax=\(syntax.uid)"))
            if syntax == .rleLossless { #expect(bytes == store.file) }
            let file = try Part10File.decode(bytes)
            #expect(file.meta.transferSyntaxUID == syntax.uid && file.meta.sopInstanceUID == Self.uid)
            #expect(file.dataSet.uid(.sopInstanceUID) == Self.uid)
            if syntax.isEncapsulated {
                guard case .fragments(let value)? = file.dataSet[.pixelData]?.value else {
                    Issue.record("no fragments")
                    return
                }
                #expect(try value.fragments == frames.map { try Self.coded($0, as: syntax) })
            } else {
                #expect(file.dataSet[.pixelData]?.bytes == frames.flatMap { $0 } + [0])
            }
        }
    }

    @Test(
        "PS3.5 §A.5, PS3.18 §8.7.3: what is deflated or without VR goes in Explicit VR Little Endian where it is taken")
    func takenInflated() async throws {
        for stored in [TransferSyntax.deflatedExplicitVRLittleEndian, .implicitVRLittleEndian, .explicitVRLittleEndian]
        {
            let (outcomes, calls) = try await Self.run(
                try Store(stored), taken: [.jpegLSLossless, .explicitVRLittleEndian],
                transcoding: PixelTranscoding(DirectPixelCoding())
            ) { _, _ in .init() }
            #expect(outcomes == [.delivered])
            let (header, bytes) = try Self.file(try #require(calls.first))
            #expect(header.hasSuffix("transfer-syntax=\(TransferSyntax.explicitVRLittleEndian.uid)"))
            let file = try Part10File.decode(bytes)
            #expect(file.dataSet[.pixelData]?.bytes == [1, 2, 3, 4])
            #expect(file.dataSet.string(.patientID) == "CANARY")
        }
    }

    @Test("What a server takes nothing of is parked unsent, in words; what it refuses nevertheless is sent but once")
    func notTaken() async throws {
        let transcoding = PixelTranscoding(DirectPixelCoding())
        let image = try Store(compressed: .rleLossless, frames: [[UInt8](repeating: 9, count: 15)])
        // With loss or beyond our encoders alone; nothing that makes it; no image at all; an unread deflated one.
        let cases: [(Store, [TransferSyntax], PixelTranscoding?)] = [
            (image, [.jpegBaseline, .jpeg2000, .htj2kLossless], transcoding), (image, [.jpegLSLossless], nil),
            (try Store(), [.jpegLSLossless], transcoding),
            (try Store(.deflatedExplicitVRLittleEndian), [.jpegLSLossless], transcoding),
        ]
        for (store, taken, transcoding) in cases {
            let (outcomes, calls) = try await Self.run(store, taken: taken, transcoding: transcoding) { _, _ in
                .init()
            }
            #expect(calls.isEmpty)
            #expect(
                outcomes == [
                    .permanent(
                        "none of `transfer-syntaxes` of cloud can be made of an instance of class "
                            + "\(UID.ctImageStorage) stored as \(store.header.instance.transferSyntaxUID)")
                ])
        }
        let (outcomes, calls) = try await Self.run(image, taken: [.rleLossless], transcoding: transcoding) { _, _ in
            .init(status: 415)
        }
        #expect(calls.count == 1)
        guard case .permanent(let text) = outcomes.first else {
            Issue.record("\(outcomes)")
            return
        }
        #expect(text.contains("`transfer-syntaxes`"))
    }

    @Test("RFC 9112 §7.1: compressed frames that there is no memory to keep are sent in chunks")
    func chunked() async throws {
        let frame = [UInt8](repeating: 9, count: 15)
        let store = try Store(compressed: .rleLossless, frames: [frame, frame, frame])
        // Two frames on their way, each coded, decoded and coded again, and nothing beside.
        let memory = MemoryBudget(bytesMax: 4 * (try Self.coded(frame, as: .rleLossless).count + frame.count))
        let (outcomes, calls) = try await Self.run(
            store, taken: [.jpegLSLossless], transcoding: PixelTranscoding(DirectPixelCoding(), memory: memory)
        ) { _, _ in .init() }
        #expect(outcomes == [.delivered])
        let call = try #require(calls.first)
        #expect(call.headers["Content-Length"] == [] && call.headers["Transfer-Encoding"] == ["chunked"])
        let file = try Part10File.decode(try Self.file(call).bytes)
        guard case .fragments(let value)? = file.dataSet[.pixelData]?.value else {
            Issue.record("no fragments")
            return
        }
        #expect(try value.fragments == [frame, frame, frame].map { try Self.coded($0, as: .jpegLSLossless) })
    }

    @Test(
        "RFC 7523 §3: a token is asked for by a signed assertion, kept until shortly before its end, forgotten at 401")
    func tokens() async throws {
        let key = try PrivateKey(.p384)
        let hand = Hand()
        let (outcomes, calls) = try await Self.run(try Store(), tokenKey: key, hand: hand, times: 5) { call, number in
            if call.uri == "/token" {
                return .init(body: "{\"access_token\":\"t\(number)\",\"token_type\":\"Bearer\",\"expires_in\":300}")
            }
            // Time passes with the second one; the fourth is refused.
            if number == 2 { hand.advance(271) }
            return .init(status: number == 5 ? 401 : 200)
        }
        #expect(outcomes.map { $0 == .delivered } == [true, true, true, false, true])
        #expect(
            calls.map(\.uri) == [
                "/token", "/dicomweb/studies", "/dicomweb/studies", "/token", "/dicomweb/studies", "/dicomweb/studies",
                "/token", "/dicomweb/studies",
            ])
        let used = calls.filter { $0.uri != "/token" }.map { $0.headers.first(name: "Authorization") ?? "" }
        #expect(used == ["Bearer t0", "Bearer t0", "Bearer t3", "Bearer t3", "Bearer t6"])
        let asked = try #require(calls.first)
        #expect(asked.headers["Content-Type"] == ["application/x-www-form-urlencoded"])
        #expect(
            asked.text.hasPrefix("grant_type=client_credentials&scope=system%2F%2A.cruds&client_assertion_type=urn%3A"))
        let parts = try #require(asked.text.split(separator: "=").last).split(separator: ".").map(String.init)
        #expect(parts.count == 3)
        let (header, claims) = (
            try JSONTree.read(try #require(Base64URL.decode(parts[0].utf8)), depthMax: 2),
            try JSONTree.read(try #require(Base64URL.decode(parts[1].utf8)), depthMax: 2)
        )
        func text(_ tree: JSONTree, _ key: String) -> String? {
            switch tree[key]?.value {
            case .string(let text), .number(let text): text
            default: nil
            }
        }
        #expect(["alg", "typ", "kid"].map { text(header, $0) } == ["ES384", "JWT", "k1"])
        #expect(["iss", "sub", "jti"].map { text(claims, $0) } == ["hilum & co", "hilum & co", "jti-1"])
        #expect(text(claims, "aud")?.hasSuffix("/token") == true)
        #expect(text(claims, "iat") == "\(Self.seconds)")
        #expect(text(claims, "exp") == "\(Self.seconds + 240)")
        let signature = try #require(Base64URL.decode(parts[2].utf8))
        #expect(key.publicKey.verifies(signature, of: Array("\(parts[0]).\(parts[1])".utf8)))
    }

    @Test("A token endpoint that refuses, answers nonsense or tries to smuggle a header in: no object is sent")
    func noToken() async throws {
        let bearer = "\"token_type\":\"Bearer\",\"expires_in\":300}"
        let cases: [(Int, String, DeliveryOutcome)] = [
            (
                400, "{\"error\":\"invalid_client\"}",
                .unreachable("cloud: the token endpoint answers 400, invalid_client")
            ),
            (400, "{\"error\":\"<b>Doe</b>\"}", .unreachable("cloud: the token endpoint answers 400")),
            (200, "nonsense", .unreachable("cloud: the token endpoint's answer holds no bearer token")),
            (
                200, "{\"access_token\":\"a\\r\\nX: y\"," + bearer,
                .unreachable("cloud: the token endpoint's answer holds no bearer token")
            ),
            (
                200, "{\"access_token\":\"a\",\"token_type\":\"mac\"}",
                .unreachable("cloud: the token endpoint's answer holds no bearer token")
            ),
            (
                200, "{\"access_token\":\"" + String(repeating: "a", count: 70_000) + "\"," + bearer,
                .unreachable("cloud: the token endpoint's answer holds no bearer token")
            ),
        ]
        for (status, body, expected) in cases {
            let (outcomes, calls) = try await Self.run(try Store(), tokenKey: try PrivateKey(.p384)) { _, _ in
                .init(status: status, body: body)
            }
            #expect(outcomes == [expected])
            #expect(calls.map(\.uri) == ["/token"])
        }
    }
}
