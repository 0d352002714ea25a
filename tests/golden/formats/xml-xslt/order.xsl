<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform">
  <xsl:output method="text"/>
  <xsl:template match="/Bestellung">{"number": "<xsl:value-of select="@nr"/>", "lines": [<xsl:for-each select="Position">
    <xsl:sort select="@nr" data-type="number"/><xsl:if test="position() &gt; 1">,</xsl:if>{"number": "<xsl:value-of select="@nr"/>", "quantity": "<xsl:value-of select="translate(Menge, ',', '.')"/>"}</xsl:for-each>]}</xsl:template>
</xsl:stylesheet>
