import HTTPSupport
import HTTPTypes
import Hummingbird
import Testing
import Workflow

@testable import DICOMData
@testable import DICOMTranslation
@testable import DICOMwebAPI

/// Instances that say of another than their sender wrote whose they are: metadata, objects and renderings alike.
/// PS3.18 §10.4.
@Suite("Retrieval of what is known to be another's")
struct SubjectRetrievalTests {
    private static let authorities = AssigningAuthorities(
        authorities: [.init(system: "urn:mrn", namespace: "HOSP")], defaultPatientSystem: "urn:mrn",
        defaultAccessionSystem: "urn:acc")

    private static func subject(_ family: String = "Smith") throws -> ObjectSubject {
        let patient = Patient(
            id: EntityID("p"),
            identifiers: [
                Identifier(system: "urn:mrn", value: "200"),
                Identifier(system: "urn:mrn", value: "P1", isCurrent: false),
            ], names: [HumanName(family: family, given: ["Jane"])])
        return try #require(
            ObjectSubject(
                InstanceIdentity(patientID: "P1", patientIDSystem: "urn:mrn"), PatientWords(name: "Doe^Jane"),
                patient: patient, order: nil, authorities: authorities, since: UTCInstant(microseconds: 0)))
    }

    private static func image() -> DataSet {
        var set = SinglePartTests.image()
        set.set(.sopClassUID, string: UID.ctImageStorage)
        set.set(.sopInstanceUID, string: ResultTests.uid)
        set.set(.patientName, string: "Doe^Jane")
        return set
    }

    private static func routes(
        _ set: DataSet = image(), _ syntax: TransferSyntax = .explicitVRLittleEndian, family: String = "Smith"
    ) throws -> DICOMwebRoutes {
        try ResultTests.routes(of: [(ResultTests.uid, set, syntax)], subject: try subject(family)).0
    }

    private static func expect(_ file: [UInt8], _ syntax: TransferSyntax, like set: DataSet) throws {
        let sent = try Part10File.decode(file)
        #expect(sent.dataSet.string(.patientName) == "Smith^Jane")
        #expect(sent.dataSet.string(.patientID) == "200")
        #expect(sent.dataSet.string(.issuerOfPatientID) == "HOSP")
        #expect(sent.dataSet[.pixelData]?.value == set[.pixelData]?.value)
        let former = sent.dataSet.item(.originalAttributesSequence)?.item(.modifiedAttributesSequence)
        #expect(former?.string(.patientID) == "P1")
        #expect(String(decoding: file.prefix(400), as: UTF8.self).contains(syntax.uid))
    }

    @Test(
        "Of every transfer syntax an instance says whose it is, alone, as a part, of a study and in an archive",
        arguments: [
            TransferSyntax.explicitVRLittleEndian, .implicitVRLittleEndian, .explicitVRBigEndian,
            .deflatedExplicitVRLittleEndian, .jpegBaseline,
        ])
    func objects(_ syntax: TransferSyntax) async throws {
        var set = Self.image()
        if syntax == .jpegBaseline {
            set[.pixelData] = DataElement(
                .pixelData, .OB,
                .fragments(EncapsulatedValue(fragments: [[0xFF, 0xD8, 0xFF, 0xD9], [0xFF, 0xD8, 0xFF, 0xD9]])))
        }
        let routes = try Self.routes(set, syntax)
        let sent = syntax.isEncapsulated ? syntax : .explicitVRLittleEndian
        let one = try await routes.retrieve(ResultTests.request(accept: "application/dicom; transfer-syntax=*"))
        #expect(one.headers[.contentType] == "application/dicom;transfer-syntax=\(sent.uid)")
        try Self.expect(try await ResultTests.body(one), sent, like: set)
        for isStudy in [true, false] {
            let parts = try await routes.retrieve(
                ResultTests.request(
                    accept: "multipart/related; type=\"application/dicom\"; transfer-syntax=*", isStudy: isStudy))
            let body = try await ResultTests.body(parts)
            #expect(String(decoding: body.prefix(200), as: UTF8.self).contains("transfer-syntax=\(sent.uid)"))
            let files = ResultTests.parts(body)
            try #require(files.count == 1)
            try Self.expect(files[0], sent, like: set)
        }
        let archive = try await ResultTests.body(
            try await routes.retrieve(ResultTests.request(accept: "application/zip; transfer-syntax=*", isStudy: true)))
        #expect(archive.firstRange(of: Array("Smith^Jane".utf8)) != nil)
    }

    @Test("R15: metadata says what the object says, in JSON and in XML")
    func metadata() async throws {
        let routes = try Self.routes()
        let json = String(
            decoding: try await ResultTests.body(
                try await routes.metadata(ResultTests.request(accept: "application/dicom+json"))), as: UTF8.self)
        #expect(json.contains("\"Alphabetic\":\"Smith^Jane\"") && json.contains("\"200\""))
        #expect(json.contains("04000561"))
        let xml = String(
            decoding: try await ResultTests.body(
                try await routes.metadata(
                    ResultTests.request(accept: "multipart/related; type=\"application/dicom+xml\""))), as: UTF8.self)
        #expect(xml.contains("<FamilyName>Smith</FamilyName>"))
    }

    @Test("R13, RFC 9110 §8.8: with whose it is the tag changes; what is made has no ranges and is asked for each time")
    func tags() async throws {
        let accept = "application/dicom"
        let plain = try ResultTests.routes(of: [(ResultTests.uid, Self.image(), .explicitVRLittleEndian)]).0
        var tags: Set<String> = []
        for routes in [plain, try Self.routes(), try Self.routes(family: "Jones")] {
            for response in [
                try await routes.retrieve(SinglePartTests.request(accept: accept)),
                try await routes.metadata(SinglePartTests.request(accept: "application/dicom+json")),
            ] { tags.insert(try #require(response.headers[.eTag])) }
        }
        #expect(tags.count == 6)
        let routes = try Self.routes()
        let whole = try await routes.retrieve(SinglePartTests.request(accept: accept))
        let tag = try #require(whole.headers[.eTag])
        #expect(tag.hasPrefix("W/") && whole.headers[.acceptRanges] == nil)
        #expect(whole.headers[.cacheControl] == "private, no-cache")
        let ranged = try await routes.retrieve(SinglePartTests.request(accept: accept, [(.range, "bytes=0-1")]))
        #expect(ranged.status == .ok)
        #expect(try await SinglePartTests.body(ranged) == (try await SinglePartTests.body(whole)))
        let same = try await routes.retrieve(SinglePartTests.request(accept: accept, [(.ifNoneMatch, tag)]))
        #expect(same.status == .notModified)
        // Pixels are nobody's words.
        let octets = "application/octet-stream"
        let frame = try await routes.frames(SinglePartTests.request(accept: octets, frames: "1"))
        let same1 = try await plain.frames(SinglePartTests.request(accept: octets, frames: "1"))
        #expect(frame.headers[.eTag] == same1.headers[.eTag])
    }

    @Test("A rendered report names whose it is")
    func report() async throws {
        var code = DataSet()
        code.set(.codeValue, string: "1")
        code.set(.codeMeaning, string: "Report")
        var set = DataSet()
        set.set(.sopClassUID, string: "1.2.840.10008.5.1.4.1.1.88.11")
        set.set(.sopInstanceUID, string: ResultTests.uid)
        set.set(.patientName, string: "Doe^Jane")
        set.set(.patientID, string: "P1")
        set.set(.modality, string: "SR")
        set.set(.valueType, string: "CONTAINER")
        set.set(.conceptNameCodeSequence, items: [code])
        set.set(.contentSequence, items: [])
        let routes = try Self.routes(set)
        let page = try await routes.renderedInstance(ResultTests.request(accept: "text/plain"))
        let text = String(decoding: try await ResultTests.body(page), as: UTF8.self)
        #expect(text.contains("Smith Jane") || text.contains("Jane Smith"))
        #expect(text.contains("200") && !text.contains("Doe"))
    }

    @Test("A WADO-URI object says it too (PS3.18 §9)")
    func byURI() async throws {
        let uid = ResultTests.uid
        let request = APIRequest(
            method: .get, path: "/",
            rawQuery: "requestType=WADO&studyUID=\(uid)&seriesUID=\(uid)&objectUID=\(uid)"
                + "&contentType=application/dicom",
            headers: [:], parameters: PathParameters([]), access: ResultTests.request().access)
        let response = try await Self.routes().retrieveByURI(request)
        try Self.expect(try await ResultTests.body(response), .explicitVRLittleEndian, like: Self.image())
    }
}
