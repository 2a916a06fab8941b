/// One search of the table of costs.
struct CostSearch {
    /// What it asks, for the table.
    let name: String
    let path: String
    /// How many matches it has at every size; nil where the answer is the first page of ever more.
    let hits: Int?

    /// What every client asks, in the forms that `CostStore` knows the answers of.
    static func all(_ store: CostStore, since: String) -> [CostSearch] {
        let week = store.week
        let half = store.size / 2
        func fhir(_ query: String, _ hits: Int?, _ name: String? = nil) -> CostSearch {
            CostSearch(name: name ?? query, path: "/fhir/" + query, hits: hits)
        }
        func qido(_ query: String, _ hits: Int, _ name: String? = nil) -> CostSearch {
            CostSearch(
                name: "QIDO-RS studies?" + (name ?? query), path: "/dicomweb/studies?" + query, hits: hits)
        }
        let many = CostStore.hits
        return [
            fhir("Patient?identifier=urn:mrn|M7", 1), fhir("Patient?family=zimmer", many),
            fhir("Patient?_sort=family", nil),
            fhir("Patient?gender=female", nil), fhir("Patient?name:contains=immer", many),
            fhir("Patient?family=zimmer&gender=female&_sort=-birthdate", many / 2),
            fhir("Patient?_has:Observation:patient:code=rare", many),
            fhir("Observation?code=rare", many), fhir("Observation?code=rare&_sort=-date", many),
            fhir("Observation?code=rare&status=final,amended&_total=accurate", many),
            fhir("Observation?code=rare&_include=Observation:subject", many),
            fhir("Observation?code=common&_sort=-date", nil), fhir("Observation?_sort=-date", nil),
            fhir("Observation?patient=r7&_sort=-date", 1),
            fhir("Observation?date=ge\(week.from)&date=lt\(week.to)", many, "Observation?date=ge…&date=lt…"),
            fhir(
                "Observation?code=rare&date=ge\(week.from)&date=lt\(week.to)&_sort=-date", 1,
                "Observation?code=rare&date=ge…&date=lt…&_sort=-date"),
            fhir("Observation?subject:Patient.family=zimmer", many),
            fhir("Observation?value-quantity=7.25||u", 1),
            fhir(
                "Observation?value-quantity=ge\(half)&value-quantity=lt\(half + many)", many,
                "Observation?value-quantity=ge…&value-quantity=lt…"),
            fhir("Observation?_lastUpdated=gt\(since)", many, "Observation?_lastUpdated=gt…"),
            fhir("Condition?code=rare", many, "Condition?code=rare (beside old versions)"),
            fhir("Condition?_sort=-onset-date", nil, "Condition?_sort=-onset-date (beside old versions)"),
            fhir("Condition", nil, "Condition (beside old versions)"),
            qido("PatientName=ZIMMER*", many), qido("ModalitiesInStudy=PT", many), qido("ModalitiesInStudy=US", 0),
            qido("StudyDate=\(CostStore.day)-\(CostStore.day)", 24, "StudyDate=…-…"),
            qido("ModalitiesInStudy=CT&StudyDate=\(CostStore.day)", 12, "ModalitiesInStudy=CT&StudyDate=…"),
            qido("PatientID=P7", 1), qido("AccessionNumber=A7", 1),
        ]
    }

    /// Milliseconds from the request to the last byte of its answer, each of `count`; the first answers are not counted.
    func times(on connection: HTTPConnection, token: String, count: Int) throws -> [Double] {
        let clock = ContinuousClock()
        var times: [Double] = []
        for number in 0..<(count + 3) {
            let begin = clock.now
            let reply = try connection.send(
                "GET", path,
                headers: [
                    "Authorization: Bearer \(token)",
                    "Accept: \(path.hasPrefix("/fhir") ? "application/fhir+json" : "application/dicom+json")",
                ])
            let time = (clock.now - begin).seconds * 1_000
            guard reply.status == 200 || (reply.status == 204 && hits == 0) else {
                throw BenchFailure(
                    "\(name) answered \(reply.status): \(String(decoding: reply.body.prefix(300), as: UTF8.self))")
            }
            if number == 0, let hits {
                let text = String(decoding: reply.body, as: UTF8.self)
                // Every study has its Study Instance UID once.
                let found = text.ranges(of: path.hasPrefix("/fhir") ? "\"mode\":\"match\"" : "\"0020000D\"").count
                guard found == hits else { throw BenchFailure("\(name) found \(found), not \(hits)") }
            }
            if number >= 3 { times.append(time) }
        }
        return times
    }
}
