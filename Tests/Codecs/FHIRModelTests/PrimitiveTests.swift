import FHIRModel
import Testing

/// FHIR R4 datatypes.html#primitive, search.html#date, references.html.
@Suite struct PrimitiveTests {
    @Test(
        "FHIR R4 datatypes.html#dateTime: what is no date is refused",
        arguments: [
            "", "2026-", "2026-1", "2026-13", "2026-00", "2026-02-29", "2026-04-31", "2026-01-00", "0000", "202",
            "20260101",
            "2026-01-01T", "2026-01-01T10:00:00", "2026-01-01T10:00Z", "2026-01-01T24:00:00Z", "2026-01-01T10:60:00Z",
            "2026-01-01T10:00:61Z", "2026-01-01T10:00:00.Z", "2026-01-01T10:00:00+14:01", "2026-01-01T10:00:00+1400",
            "2026-01-01T10:00:00z", "2026-01-01 10:00:00Z", "2026-01-01T10:00:00+10:60", " 2026", "2026 ", "２０２６",
            "2026-01-01T10:00:00.0000000000000000Z", "-2026", "2026-01-01Z",
        ])
    func badDateTimes(_ text: String) {
        #expect(FHIRDateTime(text) == nil)
        #expect(FHIRDateTime(text, as: .instant) == nil)
        #expect(FHIRDateTime(text, as: .date) == nil)
    }

    @Test("FHIR R4 datatypes.html: date, dateTime, instant and search value differ in what they need")
    func forms() {
        #expect(FHIRDateTime("2026-01-31T09:05:00Z", as: .date) == nil)
        #expect(FHIRDateTime("2026-01-31", as: .instant) == nil)
        #expect(FHIRDateTime("2026-01-31T09:05", as: .search)?.precision == .minute)
        #expect(FHIRDateTime("2026-01-31T09:05Z", as: .search)?.zoneMinutes == 0)
        #expect(FHIRDateTime("2026-01-31T09:05:10", as: .search)?.precision == .second)
        #expect(FHIRDateTime("2026-01-31T09:05:10.120-05:30", as: .instant)?.zoneMinutes == -330)
        #expect(FHIRDateTime("2024-02-29", as: .date)?.precision == .day)
        #expect(FHIRDateTime("2026-12-31T23:59:60Z")?.precision == .second)
    }

    @Test("F27: a leap second is the last of its own minute, day and year", arguments: ["60Z", "60.5Z"])
    func leapSecond(_ second: String) throws {
        let leap = try #require(FHIRDateTime("2016-12-31T23:59:\(second)", as: .instant)).range()
        let year = try #require(FHIRDateTime("2016", as: .date)).range()
        let minute = try #require(FHIRDateTime("2016-12-31T23:59Z", as: .search)).range()
        #expect(leap.lower >= minute.lower && leap.upper <= minute.upper && leap.upper <= year.upper)
    }

    @Test(
        "FHIR R4 search.html#date: a text covers the time that its precision leaves open",
        arguments: [
            ("1970", 0, 31_536_000_000_000), ("1970-01", 0, 2_678_400_000_000),
            ("1970-12", 28_857_600_000_000, 31_536_000_000_000),
            ("1970-01-02", 86_400_000_000, 172_800_000_000), ("1970-01-01T00:01Z", 60_000_000, 120_000_000),
            ("1970-01-01T01:00:00+01:00", 0, 1_000_000), ("1970-01-01T00:00:00.5Z", 500_000, 600_000),
            ("1970-01-01T00:00:00.123456789Z", 123_456, 123_457), ("1969-12-31", -86_400_000_000, 0),
            ("1968-02", -60_480_000_000_000, -57_974_400_000_000),
        ] as [(String, Int64, Int64)])
    func ranges(_ text: String, _ lower: Int64, _ upper: Int64) {
        #expect(FHIRDateTime(text, as: .search)?.range() == DateTimeRange(lower: lower, upper: upper))
    }

    @Test("A text without zone is read on the clock of the place; a day when the clock changes has 23 hours")
    func localZone() {
        let place = LocalZone { $0 < 2 * 86_400 + 7200 ? 60 : 120 }
        let day = FHIRDateTime("1970-01-02", as: .date)
        #expect(day?.range(zone: place) == DateTimeRange(lower: 82_800_000_000, upper: 169_200_000_000))
        #expect(
            FHIRDateTime("1970-01-03", as: .date)?.range(zone: place)
                == DateTimeRange(lower: 169_200_000_000, upper: 252_000_000_000))
        let fixed = FHIRDateTime("1970-01-01T00:00:00Z")
        #expect(fixed?.range(zone: place).lower == 0)
        #expect(fixed?.wallClockRange(zone: place).lower == -3_600_000_000)
        #expect(place.local(0).microseconds == 3_600_000_000)
        #expect(place.local(10 * 86_400_000_000).microseconds == 10 * 86_400_000_000 + 7_200_000_000)
        #expect(place.local(-7_200_000_000).day == -1)
    }

    @Test("FHIR R4 datatypes.html#instant: written and read again is the same time, to the millisecond")
    func instants() {
        #expect(FHIRDateTime.instantText(microseconds: 0) == "1970-01-01T00:00:00.000Z")
        #expect(FHIRDateTime.instantText(microseconds: -1) == "1969-12-31T23:59:59.999Z")
        #expect(FHIRDateTime.instantText(microseconds: .min) == "0001-01-01T00:00:00.000Z")
        #expect(FHIRDateTime.instantText(microseconds: .max) == "9999-12-31T23:59:59.999Z")
        let seed = UInt64.random(in: 0...UInt64.max)
        var random = SeededRandom(seed: seed)
        for _ in 0..<2000 {
            let time = Int64.random(in: -62_135_596_800_000...253_402_300_799_999, using: &random) * 1000
            let text = FHIRDateTime.instantText(microseconds: time)
            #expect(FHIRDateTime(text, as: .instant)?.range().lower == time, "seed \(seed): \(text)")
        }
    }

    @Test("FHIR R4 datatypes.html: lexical rules of id, code, uri, oid, uuid, integer, decimal, base64Binary")
    func lexical() {
        #expect(PrimitiveFormat.isID("a-B.9") && !PrimitiveFormat.isID("") && !PrimitiveFormat.isID("a_b"))
        func code(_ text: String) -> Bool { PrimitiveFormat.isCode(Array(text.utf8)) }
        #expect(code("a b") && !code("") && !code(" a") && !code("a ") && !code("a  b") && !code("a\tb"))
        func uri(_ text: String) -> Bool { PrimitiveFormat.isURI(Array(text.utf8)) }
        #expect(uri("urn:x") && uri("é") && !uri("") && !uri("a b") && !uri("a\n"))
        func oid(_ text: String) -> Bool { PrimitiveFormat.isOID(Array(text.utf8)) }
        #expect(oid("urn:oid:1.2.840.0") && oid("urn:oid:2.16.1"))
        #expect(!oid("urn:oid:3.1") && !oid("urn:oid:1") && !oid("urn:oid:1.02") && !oid("urn:oid:1..2") && !oid("1.2"))
        func uuid(_ text: String) -> Bool { PrimitiveFormat.isUUID(Array(text.utf8)) }
        #expect(uuid("urn:uuid:c757873d-ec9a-4326-a141-556f43239520") && !uuid("c757873d-ec9a-4326-a141-556f43239520"))
        #expect(!uuid("urn:uuid:c757873d-ec9a-4326-a141-556f4323952g"))
        func integer(_ text: String) -> Bool { PrimitiveFormat.isInteger(Array(text.utf8), in: -10...2_147_483_647) }
        #expect(integer("0") && integer("-10") && integer("2147483647") && integer("-0"))
        #expect(
            !integer("2147483648") && !integer("-11") && !integer("01") && !integer("1.0") && !integer("1e2")
                && !integer("99999999999999999999") && !integer("-"))
        func decimal(_ text: String) -> Bool { PrimitiveFormat.isDecimal(Array(text.utf8)) }
        #expect(
            decimal("1.10") && decimal("-0.0e5") && !decimal("") && !decimal("1.") && !decimal("1 ") && !decimal("NaN"))
        func base64(_ text: String) -> Bool { PrimitiveFormat.isBase64(Array(text.utf8)) }
        #expect(base64("QUJD") && base64("QUI=") && base64("QQ==") && base64("QU\nJD"))
        #expect(!base64("QUJ") && !base64("Q===") && !base64("QQ=A") && !base64("") && !base64("QU-D"))
    }

    @Test(
        "FHIR R4 references.html#literal: a reference is relative, absolute, a fragment, a URN, a URI or invalid",
        arguments: [
            ("Patient/1", .relative(type: "Patient", id: "1", version: nil)),
            ("Patient/1/_history/2", .relative(type: "Patient", id: "1", version: "2")),
            ("http://h/fhir/Patient/1", .absolute(base: "http://h/fhir", type: "Patient", id: "1", version: nil)),
            (
                "https://h/Patient/a.b/_history/9",
                .absolute(base: "https://h", type: "Patient", id: "a.b", version: "9")
            ),
            ("#med", .fragment(id: "med")), ("#", .fragment(id: "")), ("urn:uuid:x", .urn("urn:uuid:x")),
            ("http://h/other/1", .uri("http://h/other/1")), ("http://h", .uri("http://h")),
            ("http://h/Patient/", .uri("http://h/Patient/")), ("Pat/1", .invalid), ("patient/1", .invalid),
            ("", .invalid),
            ("Patient", .invalid), ("Patient/a b", .invalid), ("x/Patient/1", .invalid), ("/Patient/1", .invalid),
            ("Patient/1/_history/", .invalid), ("Patient/1?x=1", .invalid),
        ] as [(String, Reference)])
    func references(_ text: String, _ expected: Reference) {
        let reference = Reference(text)
        #expect(reference == expected)
        if expected != .invalid { #expect(reference.text == text) }
    }

    @Test("FHIR R4 references.html: an absolute reference to this server is a relative one")
    func ownReferences() {
        #expect(Reference("https://h/fhir/Patient/1").relative(to: "https://h/fhir/").text == "Patient/1")
        #expect(
            Reference("https://h/other/Patient/1").relative(to: "https://h/fhir").text == "https://h/other/Patient/1")
    }
}
