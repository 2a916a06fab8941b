import Testing

@Suite struct SwiftSourceTests {
    @Test("Comments and string contents are gone, code and line numbers stay")
    func code() {
        let source = SwiftSource(
            """
            let a = 1 // try!
            /* try! /* try! */
            try! */ let b = "try! \\(c("try!")) try!"
            let d = #"try! \\"# + "x"
            let e = \"\"\"
                try!
                \"\"\"
            let f = try! g()
            """)
        #expect(source.lines.count == 8)
        #expect(source.lines(containing: "try!") == [8])
        #expect(source.lines(containing: "let") == [1, 3, 4, 5, 8])
    }

    @Test("An open string or comment ends with the text")
    func openEnds() {
        #expect(SwiftSource("let a = \"abc").lines == ["let a = \"\""])
        #expect(SwiftSource("let a /* abc").lines == ["let a "])
        #expect(SwiftSource("let a = \"\"\"\nabc").lines.count == 2)
        #expect(SwiftSource("").lines == [""])
    }
}
