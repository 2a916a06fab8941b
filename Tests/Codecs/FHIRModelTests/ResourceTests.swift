import FHIRModel
import Testing

/// FHIR R4 resource.html, http.html#create.
@Suite struct ResourceTests {
    func stamped(_ text: String) throws -> String {
        let resource = try Resource(parsing: Array(text.utf8))
        let stamped = try resource.stamped(id: "p1", versionID: "3", lastUpdated: "2026-01-31T09:05:00.000Z")
        #expect(stamped.id == "p1")
        #expect(stamped.versionID == "3")
        #expect(stamped.lastUpdated == "2026-01-31T09:05:00.000Z")
        #expect(stamped.reference == "Patient/p1")
        #expect(stamped.hasSameContent(as: resource))
        return String(decoding: stamped.bytes, as: UTF8.self)
    }

    @Test("FHIR R4 http.html#create: id and meta are spliced in; every other byte stays")
    func stamping() throws {
        let mark = #""versionId":"3","lastUpdated":"2026-01-31T09:05:00.000Z""#
        #expect(
            try stamped(#"{"resourceType":"Patient"}"#)
                == #"{"resourceType":"Patient","id":"p1","meta":{\#(mark)}}"#)
        #expect(
            try stamped(#"{ "x" : 1.10, "resourceType" : "Patient" , "y":[ ] }"#)
                == #"{ "x" : 1.10, "resourceType" : "Patient","id":"p1","meta":{\#(mark)} , "y":[ ] }"#)
        #expect(
            try stamped(#"{"resourceType":"Patient","meta":{ },"id":"old"}"#)
                == #"{"resourceType":"Patient","meta":{\#(mark) },"id":"p1"}"#)
        #expect(
            try stamped(#"{"id":"o","meta":{"profile":["u"],"lastUpdated":"x","tag":[]},"resourceType":"Patient"}"#)
                == #"{"id":"p1","meta":{"versionId":"3","profile":["u"],"lastUpdated":"2026-01-31T09:05:00.000Z","tag":[]},"#
                + #""resourceType":"Patient"}"#)
        #expect(
            try stamped(#"{"id":"o","resourceType":"Patient","z":"é\n"}"#)
                == #"{"id":"p1","meta":{\#(mark)},"resourceType":"Patient","z":"é\n"}"#)
    }

    @Test("Stamping nothing changes nothing, stamping one leaves the other")
    func partialStamping() throws {
        let resource = try Resource(
            parsing: Array(#"{"resourceType":"Patient","id":"a","meta":{"versionId":"1"}}"#.utf8))
        #expect(resource.stampedBytes(id: nil, versionID: nil, lastUpdated: nil) == resource.bytes)
        #expect(
            resource.stampedBytes(id: nil, versionID: "2", lastUpdated: nil)
                == Array(#"{"resourceType":"Patient","id":"a","meta":{"versionId":"2"}}"#.utf8))
    }

    @Test("Stamping twice is stamping once")
    func idempotent() throws {
        let first = try stamped(#"{"resourceType":"Patient","a":{"meta":{"versionId":"9"}}}"#)
        #expect(try stamped(first) == first)
    }

    @Test(
        "FHIR R4 json.html#resources: what is no resource is refused with an outcome",
        arguments: [
            ("[]", .notAnObject), ("\"Patient\"", .notAnObject), ("{}", .missingResourceType),
            (#"{"resourceType":1}"#, .missingResourceType), (#"{"resourceType":"patient"}"#, .unknownResourceType),
            (#"{"resourceType":"DomainResource"}"#, .unknownResourceType),
            (#"{"resourceType":"HumanName"}"#, .unknownResourceType),
            (#"{"resourceType":"Patient","id":""}"#, .invalidID), (#"{"resourceType":"Patient","id":7}"#, .invalidID),
            (#"{"resourceType":"Patient","id":"a/b"}"#, .invalidID),
            (#"{"resourceType":"Patient","meta":[]}"#, .invalidMeta),
            (#"{"resourceType":"Patient","meta":null}"#, .invalidMeta),
        ] as [(String, ResourceError)])
    func refused(_ text: String, _ expected: ResourceError) {
        #expect(throws: expected) { try Resource(parsing: Array(text.utf8)) }
        #expect(expected.outcome.hasErrors)
    }

    @Test("FHIR R4 datatypes.html#id: 64 characters are an id, 65 are not")
    func idLength() throws {
        func text(_ count: Int) -> [UInt8] {
            Array(#"{"resourceType":"Patient","id":"\#(String(repeating: "a", count: count))"}"#.utf8)
        }
        #expect(try Resource(parsing: text(64)).id?.utf8.count == 64)
        #expect(throws: ResourceError.invalidID) { try Resource(parsing: text(65)) }
    }

    @Test("The outcome of a JSON failure says where and nothing of what")
    func jsonOutcome() throws {
        do throws(ResourceError) {
            _ = try Resource(parsing: Array(#"{"name":"Muster","x":tru}"#.utf8))
            Issue.record("read")
        } catch {
            let text = String(decoding: error.outcome.bytes, as: UTF8.self)
            #expect(text.contains("at byte 21, under /x"))
            #expect(!text.contains("Muster"))
        }
    }

    @Test("The same content is found in another order and spacing; another number text is another content")
    func sameContent() throws {
        func resource(_ text: String) throws -> Resource { try Resource(parsing: Array(text.utf8)) }
        let a = try resource(
            #"{"resourceType":"Patient","id":"a","meta":{"versionId":"1","profile":["u"]},"x":[1.10]}"#)
        #expect(
            try a.hasSameContent(
                as: resource(#"{ "x":[ 1.10 ],"meta":{"profile":["\u0075"]},"resourceType":"Patient"}"#)))
        #expect(try !a.hasSameContent(as: resource(#"{"x":[1.1],"meta":{"profile":["u"]},"resourceType":"Patient"}"#)))
        #expect(try !a.hasSameContent(as: resource(#"{"x":[1.10],"resourceType":"Patient"}"#)))
        #expect(try !a.hasSameContent(as: resource(#"{"x":[1.10],"meta":{"profile":["u"]},"resourceType":"Person"}"#)))
        #expect(try !a.hasSameContent(as: resource(#"{"y":[1.10],"meta":{"profile":["u"]},"resourceType":"Patient"}"#)))
        #expect(
            try !a.hasSameContent(
                as: resource(#"{"resourceType":"Patient","meta":{"profile":["u"]},"x":[1.10],"active":true}"#)))
        let plain = try resource(#"{"resourceType":"Patient","name":[{"text":"\u0061\/"}],"active":true}"#)
        #expect(
            try plain.hasSameContent(
                as: resource(
                    #"{"meta":{"lastUpdated":"2026-01-01T00:00:00Z","versionId":"7"},"active":true,"id":"z","#
                        + #""name":[{"text":"a/"}],"resourceType":"Patient"}"#)))
        #expect(try !plain.hasSameContent(as: resource(#"{"resourceType":"Patient","name":[{}],"active":true}"#)))
        #expect(
            try !plain.hasSameContent(
                as: resource(#"{"resourceType":"Patient","name":[{"text":"a/"}],"active":"true"}"#)))
    }
}
