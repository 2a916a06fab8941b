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

/// Presentation states and key object selections through the routes, subtraction and annotations. PS3.18 §8.7.2.
extension RenderedTests {
    private static let stateClass = "1.2.840.10008.5.1.4.1.1.11.1"
    private static let selectionClass = "1.2.840.10008.5.1.4.1.1.88.59"

    private static func reference(_ uid: String, frames: [Int] = []) -> DataSet {
        var item = DataSet()
        item.set(.referencedSOPInstanceUID, string: uid)
        if !frames.isEmpty { item.set(.referencedFrameNumber, .IS, strings: frames.map { "\($0)" }) }
        return item
    }

    /// A state that inverts images.
    private static func state(_ references: [DataSet]) -> DataSet {
        var series = DataSet()
        series.set(.referencedImageSequence, items: references)
        var state = DataSet()
        state.set(.sopInstanceUID, string: "2.1")
        state.set(.referencedSeriesSequence, items: [series])
        state.set(.presentationLUTShape, .CS, string: "INVERSE")
        return state
    }

    private static func selection(_ references: [DataSet]) -> DataSet {
        var set = report()
        set.set(
            .contentSequence,
            items: references.map { reference in
                var item = DataSet()
                item.set(.valueType, string: "IMAGE")
                item.set(.referencedSOPSequence, items: [reference])
                return item
            })
        return set
    }

    private static func routes(
        _ uid: String, _ sopClass: String, _ set: DataSet, _ trail: Trail = Trail()
    ) throws -> DICOMwebRoutes {
        try routes(
            [
                Object(set: named("1.1", image([one])), uid: "1.1"),
                Object(set: named("1.2", image([one, two, three])), series: "1.2.3.2", uid: "1.2"),
                Object(set: set, series: "1.2.3.9", uid: uid, sopClass: sopClass),
            ], trail)
    }

    private static func named(_ uid: String, _ set: DataSet) -> DataSet {
        var set = set
        set.set(.sopInstanceUID, string: uid)
        return set
    }

    private static func inverse(_ bytes: [UInt8]) -> [UInt8] { bytes.map { 255 - $0 } }

    @Test("A state of which no image is here is 404, one that refers to itself or to no image too; 406 for HTML")
    func nothingThere() async throws {
        for references in [[], ["9.9", "2.1"], ["../../1.1"]] {
            let routes = try Self.routes(
                "2.1", Self.stateClass, Self.state(references.map { Self.reference($0) }))
            await #expect(throws: HTTPFailure(.notFound, "")) {
                try await routes.renderedInstance(Self.request(series: "1.2.3.9", instance: "2.1"))
            }
        }
        let routes = try Self.routes("2.1", Self.stateClass, Self.state([Self.reference("1.1")]))
        await #expect(throws: HTTPFailure(.notAcceptable, "")) {
            try await routes.renderedInstance(Self.request("text/html", series: "1.2.3.9", instance: "2.1"))
        }
        await #expect(throws: HTTPFailure(.notFound, "")) {
            try await routes.renderedFrames(Self.request(series: "1.2.3.9", instance: "2.1", frames: "1"))
        }
        // A state beyond its limits is no picture.
        var broken = Self.state([Self.reference("1.1")])
        broken.set(
            DICOMData.Tag(0x0070, 0x0060), .SQ, items: [DataSet](repeating: DataSet(), count: 257))
        let refused = try Self.routes("2.1", Self.stateClass, broken)
        await #expect(throws: RenderingError.self) {
            try await refused.renderedInstance(Self.request(series: "1.2.3.9", instance: "2.1"))
        }
    }

    @Test("By the URI service a state is the object, or the picture that it is asked for as; a selection is a page")
    func byURI() async throws {
        func ask(_ uid: String, _ sopClass: String, _ set: DataSet, _ query: String) async throws -> Response {
            let routes = try Self.routes(uid, sopClass, set)
            return try await routes.retrieveByURI(
                APIRequest(
                    method: .get, path: "/dicomweb/wado",
                    rawQuery: "requestType=WADO&studyUID=\(Self.study)&seriesUID=1.2.3.9&objectUID=\(uid)" + query,
                    access: Self.request().access))
        }
        let state = Self.state([Self.reference("1.1")])
        for (query, type) in [
            ("", "application/dicom"), ("&contentType=image/png", "image/png"), ("&rows=8", "image/jpeg"),
        ] {
            let response = try await ask("2.1", Self.stateClass, state, query)
            #expect(response.headers[.contentType]?.hasPrefix(type) == true, "\(query)")
        }
        await #expect(throws: HTTPFailure(.malformed, "")) {
            try await ask("2.1", Self.stateClass, state, "&contentType=image/png&region=0,0,0.5,0.5")
        }
        let page = try await ask("3.1", Self.selectionClass, Self.selection([Self.reference("1.1")]), "")
        #expect(page.headers[.contentType] == "text/html; charset=utf-8")
    }

    @Test("More frames than 10,000 are 413, as many as the images have and a few more are passed over")
    func manyFrames() async throws {
        for (count, isTaken) in [(10_000, true), (10_001, false)] {
            let frames = [1] + [Int](repeating: 9_999, count: count - 1)
            let routes = try Self.routes(
                "2.1", Self.stateClass, Self.state([Self.reference("1.1", frames: frames)]))
            let request = Self.request(
                "multipart/related; type=\"image/png\"", series: "1.2.3.9", instance: "2.1")
            if isTaken {
                #expect(try await Self.parts(routes.renderedInstance(request)).count == 1)
            } else {
                await #expect(throws: HTTPFailure(.tooLarge, "")) { try await routes.renderedInstance(request) }
            }
        }
    }

    @Test("PS3.18 §8.7.2: a state shows its first image by itself, all images and frames as parts")
    func states() async throws {
        let trail = Trail()
        let references = [Self.reference("1.1"), Self.reference("9.9"), Self.reference("1.2", frames: [3, 1])]
        let routes = try Self.routes("2.1", Self.stateClass, Self.state(references), trail)
        let single = try await routes.renderedInstance(
            Self.request("image/png", series: "1.2.3.9", instance: "2.1"))
        #expect(try await Self.body(single) == Self.png(Self.inverse(Self.one)))
        let place = "https://h/dicomweb/studies/1.2.3/series/1.2.3.9/instances/2.1/rendered"
        #expect(single.headers[.contentLocation] == place)
        #expect(single.headers[.warning]?.contains("1 of the 3 images") == true)
        #expect(single.headers[.eTag] == nil)
        let several = try await routes.renderedInstance(
            Self.request("multipart/related; type=\"image/png\"", series: "1.2.3.9", instance: "2.1"))
        let parts = try await Self.parts(several)
        #expect(
            try parts.map(\.content)
                == [Self.one, Self.three, Self.one].map { try Self.png(Self.inverse($0)) })
        #expect(parts.allSatisfy { $0.place == place })
        // The parameters come behind the state; its own window before that of the state.
        let region = try await routes.renderedInstance(
            Self.request("image/png", query: "viewport=2,1,1,0,2,1", series: "1.2.3.9", instance: "2.1"))
        #expect(try await Self.body(region) == Self.png([205, 155], rows: 1, columns: 2))
        let window = try await routes.renderedInstance(
            Self.request("image/png", query: "window=125,1,linear-exact", series: "1.2.3.9", instance: "2.1"))
        #expect(try await Self.body(window) == Self.png([255, 255, 255, 0, 0, 0]))
        #expect(trail.rows.withLock { $0 } == [String](repeating: "instances", count: 4))
    }

    @Test("A state is left out of the parts of its study, whose images are there; a selection is its report there")
    func inStudies() async throws {
        let state = try Self.routes("2.1", Self.stateClass, Self.state([Self.reference("1.1")]))
        let pictures = try await Self.parts(
            state.renderedInstances(Self.request("multipart/related; type=\"image/png\"", series: "")))
        #expect(try pictures.map(\.content) == [Self.one, Self.one, Self.two, Self.three].map { try Self.png($0) })
        let selection = try Self.routes("2.1", Self.selectionClass, Self.selection([Self.reference("1.1")]))
        let texts = try await Self.parts(
            selection.renderedInstances(Self.request("multipart/related; type=\"text/plain\"", series: "")))
        #expect(texts.map(\.type) == ["text/plain; charset=utf-8"])
    }

    @Test("PS3.3 §A.35.4: a selection is a report, or the images that it selects, each at its own place")
    func selections() async throws {
        let references = [Self.reference("1.2", frames: [2]), Self.reference("2.1"), Self.reference("1.1")]
        let routes = try Self.routes("2.1", Self.selectionClass, Self.selection(references))
        let text = try await routes.renderedInstance(Self.request(series: "1.2.3.9", instance: "2.1"))
        #expect(text.headers[.contentType] == "text/html; charset=utf-8")
        let first = try await routes.renderedInstance(
            Self.request("image/png", series: "1.2.3.9", instance: "2.1"))
        #expect(try await Self.body(first) == Self.png(Self.two))
        let parts = try await Self.parts(
            routes.renderedInstance(
                Self.request("multipart/related; type=\"image/png\"", series: "1.2.3.9", instance: "2.1")))
        #expect(try parts.map(\.content) == [Self.two, Self.one].map { try Self.png($0) })
        #expect(
            parts.map(\.place) == [
                "https://h/dicomweb/studies/1.2.3/series/1.2.3.2/instances/1.2/frames/2/rendered",
                "https://h/dicomweb/studies/1.2.3/series/1.2.3.1/instances/1.1/frames/1/rendered",
            ])
    }

    @Test(
        "Graphics that were left in the file are drawn",
        arguments: [
            TransferSyntax.explicitVRLittleEndian, .explicitVRBigEndian,
        ])
    func graphicsInTheFile(_ syntax: TransferSyntax) async throws {
        // A line from the first to the last pixel of the first row and back, again and again: more than 16 KiB.
        let points = (0..<3_000).flatMap { [$0 % 2 == 0 ? 0.5 : 2.5, 0.5] }
        var graphic = DataSet()
        graphic.set(DICOMData.Tag(0x0070, 0x0005), .CS, string: "PIXEL")
        graphic.set(DICOMData.Tag(0x0070, 0x0021), .US, int: 3_000)
        graphic.set(DICOMData.Tag(0x0070, 0x0022), .FL, doubles: points)
        graphic.set(DICOMData.Tag(0x0070, 0x0023), .CS, string: "POLYLINE")
        var annotation = DataSet()
        annotation.set(DICOMData.Tag(0x0070, 0x0009), .SQ, items: [graphic])
        var state = Self.state([Self.reference("1.1")])
        state.set(DICOMData.Tag(0x0070, 0x0001), .SQ, items: [annotation])
        let routes = try Self.routes([
            Object(set: Self.named("1.1", Self.image([Self.one])), uid: "1.1"),
            Object(set: state, series: "1.2.3.9", uid: "2.1", sopClass: Self.stateClass, syntax: syntax),
        ])
        let shown = try await routes.renderedInstance(
            Self.request("image/png", series: "1.2.3.9", instance: "2.1"))
        #expect(try await Self.body(shown) == Self.png([255, 255, 255, 105, 55, 5]))
    }

    @Test("A state is not put over another patient's image, unless both are linked to one patient")
    func otherPatients() async throws {
        func shown(_ patients: [String: PatientOfInstance], issuer: String? = nil, _ id: String) async throws -> [UInt8]
        {
            var image = Self.named("1.1", Self.image([Self.one]))
            image.set(.patientID, string: id)
            if let issuer { image.set(.issuerOfPatientID, string: issuer) }
            var state = Self.state([Self.reference("1.1")])
            state.set(.patientID, string: "A")
            state.set(.issuerOfPatientID, string: "X")
            let routes = try Self.routes(
                [
                    Object(set: image, uid: "1.1"),
                    Object(set: state, series: "1.2.3.9", uid: "2.1", sopClass: Self.stateClass),
                ], patients: patients)
            return try await Self.body(
                routes.renderedInstance(Self.request("image/png", series: "1.2.3.9", instance: "2.1")))
        }
        func linked(_ id: String) -> PatientOfInstance {
            .linked(Patient(id: EntityID(id), identifiers: [], names: [], isActive: true))
        }
        let right = try Self.png(Self.inverse(Self.one))
        #expect(try await shown([:], "A") == right)
        #expect(try await shown(["1.1": linked("1"), "2.1": linked("1")], "B") == right)
        let others: [[String: PatientOfInstance]] = [
            [:], ["1.1": linked("1"), "2.1": linked("2")], ["2.1": linked("1")],
        ]
        for patients in others {
            await #expect(throws: HTTPFailure(.notAcceptable, "")) { try await shown(patients, "B") }
            await #expect(throws: HTTPFailure(.notAcceptable, "")) { try await shown(patients, issuer: "Y", "A") }
        }
    }

    @Test("PS3.3 §C.7.6.10: an image whose viewing mode is SUB is shown less its mask, frames without one as they are")
    func subtraction() async throws {
        var mask = DataSet()
        mask.set(DICOMData.Tag(0x0028, 0x6101), .CS, string: "AVG_SUB")
        mask.set(DICOMData.Tag(0x0028, 0x6102), .US, ints: [2, 3])
        mask.set(DICOMData.Tag(0x0028, 0x6110), .US, int: 1)
        // One more and ten less than the first frame.
        var set = Self.image([Self.one, [1, 51, 101, 151, 201, 251], [0, 50, 100, 150, 190, 240]])
        set.set(DICOMData.Tag(0x0028, 0x1090), .CS, string: "SUB")
        set.set(DICOMData.Tag(0x0028, 0x6100), .SQ, items: [mask])
        let routes = try Self.routes([Object(set: set, uid: "1.1")])
        func frame(_ number: String) async throws -> [UInt8] {
            try await Self.body(
                routes.renderedFrames(
                    Self.request("image/png", query: "window=0,20,linear-exact", instance: "1.1", frames: number)))
        }
        // One of twenty above the middle is 0.55: 140.25; ten below is black.
        #expect(try await frame("2") == Self.png([140, 140, 140, 140, 140, 140]))
        #expect(try await frame("3") == Self.png([128, 128, 128, 128, 0, 0]))
        // The same in one answer, whose frames have one mask.
        let parts = try await Self.parts(
            routes.renderedFrames(
                Self.request(
                    "multipart/related; type=\"image/png\"", query: "window=0,20,linear-exact", instance: "1.1",
                    frames: "2,3")))
        #expect(
            try parts.map(\.content)
                == [Self.png([140, 140, 140, 140, 140, 140]), Self.png([128, 128, 128, 128, 0, 0])])
        // What there never is memory for is too large.
        let tight = try Self.routes([Object(set: set, uid: "1.1")], memory: MemoryBudget(bytesMax: 64))
        await #expect(throws: PixelCodecError.self) {
            try await tight.renderedFrames(Self.request("image/png", instance: "1.1", frames: "2"))
        }
    }

    @Test("PS3.18 §8.3.5.1.1: annotations are written into every picture, on a report a warning says that they are not")
    func annotations() async throws {
        var set = Self.image([[UInt8](repeating: 9, count: 400)], rows: 20, columns: 20)
        set.set(.patientID, string: "-")
        let routes = try Self.routes([Object(set: set, uid: "1.1")])
        let annotated = try await Self.body(
            routes.renderedInstance(Self.request("image/png", query: "annotation=patient", instance: "1.1")))
        var expected = [UInt8](repeating: 9, count: 400)
        for row in 6...8 { for column in 1...7 { expected[row * 20 + column] = 0 } }
        for column in 2...6 { expected[7 * 20 + column] = 255 }
        #expect(try annotated == Self.png(expected, rows: 20, columns: 20))
        // Of an image that is linked to another patient that one is named; of one whose is uncertain nobody.
        var patient = Patient(
            id: EntityID("2"), identifiers: [Identifier(system: "urn:p", value: "=")], names: [], isActive: true)
        for (link, row) in [(PatientOfInstance.linked(patient), 1), (.uncertain, 0)] {
            let linked = try Self.routes([Object(set: set, uid: "1.1")], patients: ["1.1": link])
            let shown = try await Self.body(
                linked.renderedInstance(Self.request("image/png", query: "annotation=patient", instance: "1.1")))
            #expect(shown != annotated)
            #expect(try (shown == Self.png([UInt8](repeating: 9, count: 400), rows: 20, columns: 20)) == (row == 0))
        }
        patient.identifiers = [Identifier(system: "urn:p", value: "-")]
        let same = try Self.routes([Object(set: set, uid: "1.1")], patients: ["1.1": .linked(patient)])
        let shown = try await Self.parts(
            same.renderedInstances(
                Self.request("multipart/related; type=\"image/png\"", query: "annotation=patient", series: "")))
        #expect(shown.map(\.content) == [annotated])
        let without = try await Self.body(
            routes.renderedInstance(Self.request("image/png", query: "annotation=technique", instance: "1.1")))
        #expect(try without == Self.png([UInt8](repeating: 9, count: 400), rows: 20, columns: 20))
        // A thumbnail shows nothing of a patient.
        let small = try await Self.body(
            routes.thumbnail(Self.request("image/png", query: "annotation=patient&viewport=20,20", instance: "1.1")))
        #expect(try small == Self.png([UInt8](repeating: 9, count: 400), rows: 20, columns: 20))
    }
}
