/** Well-known companies, funds and crypto pairs: what the demo provider lists, so that the first search finds something. */

import type { Company } from "../../domain/companies.ts";

const NASDAQ = `AAPL Apple Inc.|ABNB Airbnb, Inc.|ADBE Adobe Inc.|ADI Analog Devices, Inc.|ADP Automatic Data Processing, Inc.
ADSK Autodesk, Inc.|AMAT Applied Materials, Inc.|AMD Advanced Micro Devices, Inc.|AMGN Amgen Inc.|AMZN Amazon.com, Inc.
ASML ASML Holding N.V.|AVGO Broadcom Inc.|AZN AstraZeneca PLC|BIIB Biogen Inc.|BKNG Booking Holdings Inc.
CDNS Cadence Design Systems, Inc.|CHTR Charter Communications, Inc.|CMCSA Comcast Corporation|COIN Coinbase Global, Inc.
COST Costco Wholesale Corporation|CRWD CrowdStrike Holdings, Inc.|CSCO Cisco Systems, Inc.|CSX CSX Corporation
CTAS Cintas Corporation|DDOG Datadog, Inc.|DXCM DexCom, Inc.|EA Electronic Arts Inc.|EBAY eBay Inc.
EXC Exelon Corporation|FAST Fastenal Company|FTNT Fortinet, Inc.|GILD Gilead Sciences, Inc.|GOOG Alphabet Inc. Class C
GOOGL Alphabet Inc. Class A|HON Honeywell International Inc.|IDXX IDEXX Laboratories, Inc.|INTC Intel Corporation
INTU Intuit Inc.|ISRG Intuitive Surgical, Inc.|KDP Keurig Dr Pepper Inc.|KHC The Kraft Heinz Company|KLAC KLA Corporation
LRCX Lam Research Corporation|LULU Lululemon Athletica Inc.|MAR Marriott International, Inc.|MCHP Microchip Technology Inc.
MDLZ Mondelez International, Inc.|MELI MercadoLibre, Inc.|META Meta Platforms, Inc.|MNST Monster Beverage Corporation
MRNA Moderna, Inc.|MRVL Marvell Technology, Inc.|MSFT Microsoft Corporation|MU Micron Technology, Inc.|NFLX Netflix, Inc.
NVDA NVIDIA Corporation|NXPI NXP Semiconductors N.V.|ODFL Old Dominion Freight Line, Inc.|ORLY O'Reilly Automotive, Inc.
PANW Palo Alto Networks, Inc.|PAYX Paychex, Inc.|PCAR PACCAR Inc|PDD PDD Holdings Inc.|PEP PepsiCo, Inc.
PLTR Palantir Technologies Inc.|PYPL PayPal Holdings, Inc.|QCOM QUALCOMM Incorporated|REGN Regeneron Pharmaceuticals, Inc.
ROST Ross Stores, Inc.|SBUX Starbucks Corporation|SNPS Synopsys, Inc.|TEAM Atlassian Corporation|TMUS T-Mobile US, Inc.
TSLA Tesla, Inc.|TXN Texas Instruments Incorporated|VRTX Vertex Pharmaceuticals Incorporated|WDAY Workday, Inc.
XEL Xcel Energy Inc.|ZS Zscaler, Inc.`;

const NYSE = `ABBV AbbVie Inc.|ABT Abbott Laboratories|ACN Accenture plc|AIG American International Group, Inc.
AMT American Tower Corporation|AXP American Express Company|BA The Boeing Company|BABA Alibaba Group Holding Limited
BAC Bank of America Corporation|BK The Bank of New York Mellon Corporation|BLK BlackRock, Inc.
BMY Bristol-Myers Squibb Company|BRK.A Berkshire Hathaway Inc. Class A|BRK.B Berkshire Hathaway Inc. Class B
BX Blackstone Inc.|C Citigroup Inc.|CAT Caterpillar Inc.|CB Chubb Limited|CL Colgate-Palmolive Company|COF Capital One Financial
COP ConocoPhillips|CRM Salesforce, Inc.|CVS CVS Health Corporation|CVX Chevron Corporation|D Dominion Energy, Inc.
DE Deere & Company|DHR Danaher Corporation|DIS The Walt Disney Company|DUK Duke Energy Corporation|EMR Emerson Electric Co.
F Ford Motor Company|FDX FedEx Corporation|GD General Dynamics Corporation|GE GE Aerospace|GM General Motors Company
GS The Goldman Sachs Group, Inc.|HD The Home Depot, Inc.|IBM International Business Machines Corporation
JNJ Johnson & Johnson|JPM JPMorgan Chase & Co.|KO The Coca-Cola Company|LIN Linde plc|LLY Eli Lilly and Company
LMT Lockheed Martin Corporation|LOW Lowe's Companies, Inc.|MA Mastercard Incorporated|MCD McDonald's Corporation
MDT Medtronic plc|MET MetLife, Inc.|MMM 3M Company|MO Altria Group, Inc.|MRK Merck & Co., Inc.|MS Morgan Stanley
NEE NextEra Energy, Inc.|NKE NIKE, Inc.|NOW ServiceNow, Inc.|NVO Novo Nordisk A/S|ORCL Oracle Corporation|PFE Pfizer Inc.
PG The Procter & Gamble Company|PM Philip Morris International Inc.|PNC PNC Financial Services|RTX RTX Corporation
SAP SAP SE|SCHW The Charles Schwab Corporation|SHEL Shell plc|SHOP Shopify Inc.|SLB SLB N.V.|SNOW Snowflake Inc.
SO The Southern Company|SPG Simon Property Group, Inc.|SPOT Spotify Technology S.A.|T AT&T Inc.|TGT Target Corporation
TJX The TJX Companies, Inc.|TM Toyota Motor Corporation|TMO Thermo Fisher Scientific Inc.
TSM Taiwan Semiconductor Manufacturing Company|UBER Uber Technologies, Inc.|UNH UnitedHealth Group Incorporated
UNP Union Pacific Corporation|UPS United Parcel Service, Inc.|USB U.S. Bancorp|V Visa Inc.|VZ Verizon Communications Inc.
WFC Wells Fargo & Company|WMT Walmart Inc.|XOM Exxon Mobil Corporation`;

const FUNDS = `DIA SPDR Dow Jones Industrial Average ETF|EEM iShares MSCI Emerging Markets ETF|EFA iShares MSCI EAFE ETF
GLD SPDR Gold Shares|HYG iShares High Yield Corporate Bond ETF|IVV iShares Core S&P 500 ETF|IWM iShares Russell 2000 ETF
QQQ Invesco QQQ Trust|SLV iShares Silver Trust|SPY SPDR S&P 500 ETF Trust|TLT iShares 20+ Year Treasury Bond ETF
USO United States Oil Fund|VEA Vanguard Developed Markets ETF|VNQ Vanguard Real Estate ETF|VOO Vanguard S&P 500 ETF
VTI Vanguard Total Stock Market ETF|XLE Energy Select Sector SPDR|XLF Financial Select Sector SPDR
XLK Technology Select Sector SPDR|XLV Health Care Select Sector SPDR`;

const CRYPTO = `ADA-USD Cardano / US dollar|AVAX-USD Avalanche / US dollar|BCH-USD Bitcoin Cash / US dollar|BNB-USD BNB / US dollar
BTC-EUR Bitcoin / euro|BTC-USD Bitcoin / US dollar|BTC-USDT Bitcoin / Tether|DOGE-USD Dogecoin / US dollar
DOT-USD Polkadot / US dollar|ETH-BTC Ether / Bitcoin|ETH-USD Ether / US dollar|ETH-USDT Ether / Tether
LINK-USD Chainlink / US dollar|LTC-USD Litecoin / US dollar|SOL-USD Solana / US dollar|XRP-USD XRP / US dollar`;

/** What the demo provider lists on each of its exchanges. */
export const DEMO_COMPANIES: Readonly<Record<"US" | "CC", readonly Company[]>> = {
  US: [...listed(NASDAQ, "NASDAQ"), ...listed(NYSE, "NYSE"), ...listed(FUNDS, "NYSE Arca")],
  CC: listed(CRYPTO, "Crypto"),
};

/** Parses `SYMBOL Name` entries, separated by `|` or line breaks. */
function listed(text: string, exchange: string): Company[] {
  return text.split(/[|\n]/).map((entry) => {
    const space = entry.indexOf(" ");
    return { symbol: entry.slice(0, space), name: entry.slice(space + 1), exchange };
  });
}
