import Access
import FHIRModel

/// Where stations are. FHIR R4 device.html.
extension FactReader {
    /// How AE titles stand in identifiers, as those of the owners of Tasks do.
    private static let titles = "urn:hilum:ae-title"

    /// Of a Device that is in use, each AE title at its `location` and with its `owner`. An identifier that is old, or of
    /// some time alone, says nothing.
    func ofDevice(_ root: JSONNode) -> Set<AccessFacts.Station> {
        guard root["status"]?.string ?? "active" == "active" else { return [] }
        let sites = [("location", "Location"), ("owner", "Organization")].compactMap { name, type -> String? in
            guard let text = root[name]?["reference"]?.string,
                case .relative(type, let id, _) = Reference(text).relative(to: base)
            else { return nil }
            return type + "/" + id
        }
        let titles = Self.items(root["identifier"]).compactMap { identifier -> String? in
            guard identifier["system"]?.string == Self.titles, identifier["period"] == nil,
                identifier["use"]?.string != "old", let title = identifier["value"]?.string,
                title != ReadingDesk.every, ReadingDesk.isStation(title)
            else { return nil }
            return title
        }
        return Set(sites.flatMap { site in titles.map { AccessFacts.Station(site: site, title: $0) } })
    }
}
