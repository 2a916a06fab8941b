import Access
import Testing

/// Case X9: where a URL may lead. RFC 6890, RFC 4291, RFC 6052, RFC 3986 §3; OWASP API7.
struct OutboundPolicyTests {
    private static func allows(_ text: String, _ networks: [String] = []) throws -> Bool {
        let policy = OutboundPolicy(allowedNetworks: try networks.map { try #require(IPNetwork($0)) })
        return policy.allows(try #require(IPAddress(text), "\(text)"))
    }

    @Test(
        "X9: this machine, private, link-local, shared, reserved and metadata addresses are refused, in every wrapping",
        arguments: [
            "127.0.0.1", "127.255.255.254", "0.0.0.0", "0.1.2.3", "10.0.0.1", "100.64.0.1", "100.100.100.200",
            "169.254.169.254", "172.16.0.1", "172.31.255.255", "192.0.0.192", "192.0.2.1", "192.168.1.1", "198.18.0.1",
            "198.51.100.1", "203.0.113.9", "224.0.0.1", "240.0.0.1", "255.255.255.255", "168.63.129.16", "::", "::1",
            "::ffff:127.0.0.1", "::ffff:7f00:1", "::127.0.0.1", "::ffff:0:127.0.0.1", "64:ff9b::127.0.0.1",
            "64:ff9b::a9fe:a9fe", "64:ff9b:1::1", "2002:7f00:1::", "2002:a9fe:a9fe::1", "2001::1", "2001:db8::1",
            "fc00::1", "fd00:ec2::254", "fe80::1", "fec0::1", "ff02::1", "100::1", "3fff::1", "5f00::1",
        ])
    func refused(_ address: String) throws { #expect(try !Self.allows(address)) }

    @Test(
        "X9: the public internet may be dialled, also by the addresses that lead to it",
        arguments: [
            "8.8.8.8", "172.15.255.255", "172.32.0.1", "192.0.1.1", "2606:4700::1111", "::ffff:8.8.8.8",
            "64:ff9b::8.8.8.8", "2a00:1450:4001::1",
        ])
    func permitted(_ address: String) throws { #expect(try Self.allows(address)) }

    @Test("X9: a site names the networks that it needs, and those alone are opened; groups and nobody never")
    func named() throws {
        let site = ["10.20.0.0/16", "fd12:3456::/32", "127.0.0.1"]
        for address in ["10.20.255.1", "::ffff:10.20.0.1", "fd12:3456::9", "127.0.0.1", "64:ff9b::10.20.0.1"] {
            #expect(try Self.allows(address, site), "\(address)")
        }
        for address in ["10.21.0.1", "127.0.0.2", "fd12:3457::1", "169.254.169.254", "::1"] {
            #expect(try !Self.allows(address, site), "\(address)")
        }
        for address in ["0.0.0.0", "224.0.0.1", "255.255.255.255", "::", "ff02::1", "::ffff:224.0.0.1"] {
            #expect(try !Self.allows(address, ["0.0.0.0/0", "::/0"]), "\(address)")
        }
    }

    @Test("A network is told as it is read, and holds addresses also as a socket of both families tells them")
    func networkTexts() throws {
        for text in ["10.20.0.0/16", "192.0.2.7", "0.0.0.0/0"] {
            #expect(try #require(IPNetwork(text)).description == text)
        }
        let network = try #require(IPNetwork("fd00:1::/64"))
        #expect(IPNetwork(network.description) == network)
        let site = try ["10.20.0.0/16", "fd00:1::/64"].map { try #require(IPNetwork($0)) }
        for address in ["10.20.3.4", "::ffff:10.20.3.4", "fd00:1::9"] { #expect(site.contain(address), "\(address)") }
        for address in ["10.21.0.1", "fd00:2::1", "64:ff9b::10.20.3.4", "", "host", "10.20"] {
            #expect(!site.contain(address), "\(address)")
        }
        for address in ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"] {
            #expect(try #require(IPAddress(address)).isLoopback, "\(address)")
        }
        for address in ["126.0.0.1", "::2", "0.0.0.0"] {
            #expect(try !#require(IPAddress(address)).isLoopback, "\(address)")
        }
    }

    @Test("A network is written with its bits and none beyond them")
    func networks() {
        for good in ["10.0.0.0/8", "0.0.0.0/0", "192.0.2.7", "fd00::/8", "::1", "2001:db8::/127"] {
            #expect(IPNetwork(good) != nil, "\(good)")
        }
        for bad in [
            "", "10.0.0.1/8", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/", "10/8", "fd00::1/8", "a", "1.2.3.4/8/9",
        ] {
            #expect(IPNetwork(bad) == nil, "\(bad)")
        }
    }

    @Test(
        "RFC 6943 §3.1.1: an address is read in its full form only",
        arguments: [
            "127.1", "2130706433", "0x7f000001", "0177.0.0.1", "127.0.0.01", "1.2.3", "1.2.3.4.5", "1.2.3.256",
            "1.2.3.",
            "1.2.3.+4", ":::", "1::2::3", "::1%eth0", "12345::", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "::1.2.3",
            "1.2.3.4::", "g::", "",
        ])
    func addresses(_ text: String) { #expect(IPAddress(text) == nil) }

    @Test(
        "X9: a URL with user information, a reverse slash, another scheme or an odd host is never dialled",
        arguments: [
            "", "http://a.example/", "ftp://a/", "file:///etc/passwd", "//a/b", "https://", "https:///x",
            "https://a@b/",
            "https://a:b@c/", "https://evil.test\\@127.0.0.1/", "https://a b/", "https://ä.test/", "https://a/#f",
            "https://a:0/", "https://a:65536/", "https://a:x/", "https://a:1:2/", "https://[::1", "https://[zz]/",
            "https://[::1]x/", "https://[1.2.3.4]/", "https://a%00/", "javascript:alert(1)", "https://2130706433/",
            "https://0x7f000001/", "https://0x7f.1/", "https://0177.0.0.1/", "https://127.1/", "https://1.2.3.4./",
            "https://a..b/", "https://.a/", "https://-a/", "https://a.256/", "https://[::1%25eth0]/",
        ])
    func urls(_ text: String) { #expect(throws: OutboundRefusal.self) { _ = try OutboundURL(text) } }

    @Test(
        "X9: a name is compared as DNS does, in lower case and without the dot at its end; the text is made anew of it")
    func names() throws {
        let url = try OutboundURL("HTTPS://Keys.Example.ORG.:443/a/B?c=D")
        #expect(url.host == "keys.example.org")
        #expect(url.port == 443)
        #expect(url.address == nil)
        #expect(url.text == "https://keys.example.org:443/a/B?c=D")
        #expect(try OutboundURL("https://a.example?x").text == "https://a.example:443/?x")
        let literal = try OutboundURL("https://[2001:DB8::1]:8443")
        #expect(literal.address == IPAddress("2001:db8::1"))
        #expect(literal.text == "https://[2001:db8:0:0:0:0:0:1]:8443/")
        #expect(try OutboundURL("https://10.0.0.1/").address == IPAddress("10.0.0.1"))
    }
}
