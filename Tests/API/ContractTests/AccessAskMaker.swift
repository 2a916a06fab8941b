import FHIRResources
import HTTPTypes
import TestSupport

/// Makes requests of all kinds that reach for resources, from whatever is stored and from what is not.
struct AccessAskMaker {
    private var random: SeededGenerator
    /// `Type/id` of what is stored in the whole world, and of nothing.
    private let names: [String]

    init(_ items: [PatientWorld.Item], _ random: SeededGenerator) {
        self.random = random
        var names: [String] = []
        for item in items where !names.contains("\(item.type)/\(item.id)") { names.append("\(item.type)/\(item.id)") }
        self.names = names + ["Observation/none", "Patient/none", "Procedure/none"]
    }

    static let types = [
        "Observation", "Procedure", "DocumentReference", "List", "Provenance", "Group", "Media", "Patient",
    ]
    private static let json = "application/fhir+json"

    /// The next request.
    mutating func next() -> AccessAsk {
        switch Int.random(in: 0..<16, using: &random) {
        case 0...4: return AccessAsk(target: "/fhir/" + search())
        case 5:
            let halves = search().split(separator: "?", maxSplits: 1).map { String($0) }
            return AccessAsk(
                method: .post, target: "/fhir/\(halves[0])/_search",
                headers: [.contentType: "application/x-www-form-urlencoded"], body: halves.count > 1 ? halves[1] : "")
        case 6, 7: return read()
        case 8: return AccessAsk(target: "/fhir/" + history())
        case 9: return bundle("batch")
        case 10: return bundle("transaction")
        case 11, 12: return change()
        default: return image()
        }
    }

    // MARK: Searches

    /// Beside those of ``results``: of the type itself, along references, and against them.
    private static let conditions: [String: [String]] = [
        "Observation": [
            "status=final", "status:not=final", "subject=NAME", "patient=PATIENT", "focus=NAME", "performer=NAME",
            "has-member=NAME", "has-member:missing=true", "has-member.status=final", "subject:Patient.gender=male",
            "performer:Patient.family=CANARYB", "has-member.has-member.status=final", "date=ge2024-01-04",
            "value-quantity=gt4", "code:text=CANARY", "_has:Procedure:reason-reference:status=completed",
            "_has:Observation:has-member:status=final", "_has:List:item:_id=x5", "_tag=urn:t%7Cv15",
            "_has:Procedure:reason-reference:_has:Procedure:part-of:status=completed",
            "subject:Patient._has:Observation:focus:status=final", "has-member.subject:Patient.gender=male",
        ],
        "Procedure": [
            "status=completed", "patient=PATIENT", "subject=NAME", "part-of=NAME", "part-of.status=completed",
            "reason-reference:Observation.status=final", "reason-reference=NAME",
            "reason-reference:Observation.subject:Patient.gender=male", "_has:Procedure:part-of:status=completed",
        ],
        "DocumentReference": [
            "status=current", "patient=PATIENT", "related=NAME", "related:Observation.status=final",
            "description=CANARYB", "contenttype=text/plain", "subject:Patient.identifier=urn:example:patient%7CNb",
        ],
        "List": ["status=current", "subject=NAME", "item=NAME", "item:Observation.status=final", "title=CANARYB"],
        "Provenance": ["target=NAME", "target:Patient.gender=male", "target:Observation.status=final"],
        "Group": ["member=NAME", "member:Patient.gender=male", "type=person"],
        "Media": ["status=completed", "subject=NAME", "subject:Patient.family=CANARYB"],
        "Patient": [
            "gender=male", "gender=female", "family=CANARY", "identifier=urn:example:patient%7CNb",
            "_has:Observation:subject:status=final", "_has:Group:member:type=person",
            "_has:Observation:focus:_has:List:item:status=current", "name:contains=ANARYB", "family:exact=CANARYB",
        ],
    ]
    private static let inclusions: [String: [String]] = [
        "Observation": [
            "_include=*", "_include=Observation:subject", "_include=Observation:focus",
            "_include=Observation:has-member&_include:iterate=Observation:has-member",
            "_revinclude=Procedure:reason-reference&_revinclude:iterate=Procedure:part-of",
            "_revinclude=List:item", "_revinclude=Provenance:target", "_revinclude=DocumentReference:related",
        ],
        "Procedure": [
            "_include=*", "_include=Procedure:reason-reference&_include:iterate=Observation:focus",
            "_revinclude=Procedure:part-of", "_revinclude=List:item",
        ],
        "DocumentReference": ["_include=*", "_include=DocumentReference:related"],
        "List": ["_include=List:item", "_include=List:item&_include:iterate=Observation:focus"],
        "Provenance": ["_include=Provenance:target", "_include=*"], "Group": ["_include=Group:member"],
        "Media": ["_include=Media:subject", "_include=*"],
        "Patient": [
            "_revinclude=Observation:focus", "_revinclude=Observation:subject&_include:iterate=Observation:performer",
            "_revinclude=Group:member&_include:iterate=Group:member", "_revinclude=Provenance:target",
        ],
    ]
    private static let results = [
        "_sort=_id", "_sort=-_lastUpdated", "_sort=status,-_id", "_sort=-date", "_total=none", "_total=estimate",
        "_total=accurate", "_summary=true", "_summary=text", "_summary=data", "_summary=count",
        "_elements=status,subject",
        "_count=1", "_count=2", "_count=3", "_id=NAMEID", "_id=x1,x2,x3,x4,x5", "_lastUpdated=gt2020-01-01",
    ]

    private mutating func search() -> String {
        let type = pick(Self.types)
        var parts: [String] = []
        for _ in 0..<Int.random(in: 0...2, using: &random) { parts.append(pick(Self.conditions[type] ?? [])) }
        if Int.random(in: 0..<2, using: &random) == 0 { parts.append(pick(Self.inclusions[type] ?? [])) }
        for _ in 0..<Int.random(in: 0...2, using: &random) { parts.append(pick(Self.results)) }
        let name = pick(names)
        let text = parts.joined(separator: "&").replacing("NAMEID", with: name.split(separator: "/")[1])
            .replacing("NAME", with: name).replacing("PATIENT", with: pick(["Patient/a", "Patient/b", "a", "b"]))
        return text.isEmpty ? type : "\(type)?\(text)"
    }

    // MARK: Reads and histories

    private mutating func read() -> AccessAsk {
        var path = "/fhir/" + pick(names)
        var headers: HTTPFields = [:]
        switch Int.random(in: 0..<6, using: &random) {
        case 0: path += "/_history/\(Int.random(in: 1...3, using: &random))"
        case 1: path += "?_summary=" + pick(["true", "text", "data"])
        case 2: path += "?_elements=status"
        case 3: headers[.ifNoneMatch] = "W/\"1\""
        case 4: headers[.ifModifiedSince] = "Fri, 01 Jan 2100 00:00:00 GMT"
        default: break
        }
        return AccessAsk(
            method: Int.random(in: 0..<8, using: &random) == 0 ? .head : .get, target: path, headers: headers)
    }

    private mutating func history() -> String {
        let place = pick(["", pick(Self.types) + "/", pick(names) + "/", pick(names) + "/"])
        return place + "_history" + pick(["", "?_count=1", "?_count=3", "?_count=50", "?_since=2020-01-01"])
    }

    private mutating func bundle(_ kind: String) -> AccessAsk {
        let entries = (0..<Int.random(in: 1...4, using: &random)).map { _ -> String in
            let url =
                switch Int.random(in: 0..<4, using: &random) {
                case 0: pick(names)
                case 1: pick(names) + "/_history/1"
                case 2: history()
                default: search()
                }
            return #"{"request":{"method":"GET","url":"\#(url)"}}"#
        }
        return AccessAsk(
            method: .post, target: "/fhir", headers: [.contentType: Self.json],
            body: #"{"resourceType":"Bundle","type":"\#(kind)","entry":[\#(entries.joined(separator: ","))]}"#)
    }

    // MARK: Changes, which nobody here may make

    private mutating func change() -> AccessAsk {
        let body =
            #"{"resourceType":"Observation","status":"final","code":{"text":"new"},"subject":{"reference":"Patient/a"}}"#
        let condition = "Observation?" + pick(["subject=Patient/b", "_id=x1", "focus=Patient/b&status=final"])
        let patch = #"[{"op":"test","path":"/status","value":"final"},{"op":"add","path":"/language","value":"de"}]"#
        let patchType = "application/json-patch+json"
        let name = pick(names)
        switch Int.random(in: 0..<8, using: &random) {
        case 0:
            return AccessAsk(method: .put, target: "/fhir/" + condition, headers: [.contentType: Self.json], body: body)
        case 1: return AccessAsk(method: .delete, target: "/fhir/" + condition)
        case 2:
            return AccessAsk(
                method: .patch, target: "/fhir/" + condition, headers: [.contentType: patchType], body: patch)
        case 3:
            return AccessAsk(method: .patch, target: "/fhir/" + name, headers: [.contentType: patchType], body: patch)
        case 4: return AccessAsk(method: .delete, target: "/fhir/" + name)
        case 5:
            var ask = AccessAsk(
                method: .post, target: "/fhir/Observation", headers: [.contentType: Self.json], body: body)
            if let header = HTTPField.Name("If-None-Exist") { ask.headers[header] = "subject=Patient/b" }
            return ask
        case 6:
            let entry =
                #"{"resource":\#(body),"request":{"method":"POST","url":"Observation","ifNoneExist":"subject=Patient/b"}}"#
            return AccessAsk(
                method: .post, target: "/fhir", headers: [.contentType: Self.json],
                body: #"{"resourceType":"Bundle","type":"\#(pick(["batch", "transaction"]))","entry":[\#(entry)]}"#)
        default:
            return AccessAsk(
                method: .put, target: "/fhir/" + name, headers: [.contentType: Self.json, .ifMatch: "W/\"1\""],
                body: body)
        }
    }

    // MARK: Images

    private mutating func image() -> AccessAsk {
        let study = "/dicomweb/studies/1.2.826.0." + pick(["1", "2", "9"])
        let number = study.suffix(1)
        let instance = "\(study)/series/1.2.826.0.\(number).1/instances/1.2.826.0.\(number).1.1"
        let level = pick(["studies", "series", "instances"])
        switch Int.random(in: 0..<8, using: &random) {
        case 0, 1, 2:
            let keys = [
                "", "PatientID=Na", "PatientID=Nb", "PatientName=CANARY*", "PatientName=CANARYB", "Modality=MR",
                "ModalitiesInStudy=MR", "StudyInstanceUID=1.2.826.0.2", "limit=1", "limit=1&offset=1",
                "includefield=all",
            ]
            return lists("/dicomweb/\(level)?" + pick(keys))
        case 3: return lists(study + pick(["/series", "/instances", "/metadata"]))
        case 4: return lists(instance + "/metadata")
        case 5:
            return AccessAsk(
                target: pick([study, instance]),
                headers: [.accept: "multipart/related; type=\"application/dicom\"; transfer-syntax=*"])
        case 6: return AccessAsk(target: instance + pick(["/frames/1", "/bulkdata/7FE00010"]))
        default: return AccessAsk(target: instance + pick(["/rendered", "/thumbnail", "/frames/1/rendered"]))
        }
    }

    private func lists(_ target: String) -> AccessAsk {
        AccessAsk(target: target, headers: [.accept: "application/dicom+json"])
    }

    private mutating func pick(_ choices: [String]) -> String {
        choices.isEmpty ? "" : choices[Int.random(in: 0..<choices.count, using: &random)]
    }
}
