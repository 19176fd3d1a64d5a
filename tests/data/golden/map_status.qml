<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>
<qgis version="3.22.0" styleCategories="AllStyleCategories" labelsEnabled="0" readOnly="0" hasScaleBasedVisibilityFlag="0" minScale="100000000" maxScale="0" simplifyLocal="1" simplifyDrawingHints="1" simplifyDrawingTol="1" simplifyMaxScale="1" simplifyAlgorithm="0" symbologyReferenceScale="-1">
 <flags>
  <Identifiable>1</Identifiable>
  <Removable>1</Removable>
  <Searchable>1</Searchable>
  <Private>0</Private>
 </flags>
 <fieldConfiguration>
  <field name="fid" configurationFlags="None">
   <editWidget type="Hidden">
    <config>
     <Option type="Map" />
    </config>
   </editWidget>
  </field>
  <field name="map_object_id" configurationFlags="None">
   <editWidget type="TextEdit">
    <config>
     <Option type="Map">
      <Option name="IsMultiline" type="bool" value="false" />
      <Option name="UseHtml" type="bool" value="false" />
     </Option>
    </config>
   </editWidget>
  </field>
  <field name="theme" configurationFlags="None">
   <editWidget type="ValueMap">
    <config>
     <Option type="Map">
      <Option name="map" type="List">
       <Option type="Map">
        <Option name="–" type="QString" value="{2839923C-8B7D-419E-B84B-CA2FE9B80EC7}" />
       </Option>
       <Option type="Map">
        <Option name="Byggnad" type="QString" value="building" />
       </Option>
       <Option type="Map">
        <Option name="Väg" type="QString" value="road" />
       </Option>
       <Option type="Map">
        <Option name="Stig" type="QString" value="path" />
       </Option>
       <Option type="Map">
        <Option name="Vattendrag" type="QString" value="stream" />
       </Option>
      </Option>
     </Option>
    </config>
   </editWidget>
  </field>
  <field name="status" configurationFlags="None">
   <editWidget type="ValueMap">
    <config>
     <Option type="Map">
      <Option name="map" type="List">
       <Option type="Map">
        <Option name="Saknas i kartan" type="QString" value="missing" />
       </Option>
       <Option type="Map">
        <Option name="Riven" type="QString" value="demolished" />
       </Option>
       <Option type="Map">
        <Option name="Föråldrad" type="QString" value="obsolete" />
       </Option>
       <Option type="Map">
        <Option name="Tillbyggd" type="QString" value="extended" />
       </Option>
       <Option type="Map">
        <Option name="Delvis riven" type="QString" value="reduced" />
       </Option>
       <Option type="Map">
        <Option name="Ändrad form" type="QString" value="reshaped" />
       </Option>
       <Option type="Map">
        <Option name="Ersatt" type="QString" value="replaced" />
       </Option>
       <Option type="Map">
        <Option name="Flyttad" type="QString" value="moved" />
       </Option>
       <Option type="Map">
        <Option name="Planerad, nu byggd" type="QString" value="planned_built" />
       </Option>
       <Option type="Map">
        <Option name="Syns inte, osäkert" type="QString" value="uncertain_absence" />
       </Option>
       <Option type="Map">
        <Option name="Delad" type="QString" value="split" />
       </Option>
       <Option type="Map">
        <Option name="Sammanbyggd" type="QString" value="merged" />
       </Option>
       <Option type="Map">
        <Option name="Annan indelning" type="QString" value="recomposed" />
       </Option>
       <Option type="Map">
        <Option name="Annan objekttyp" type="QString" value="class_mismatch" />
       </Option>
       <Option type="Map">
        <Option name="Dubblett i kartan" type="QString" value="duplicate_in_map" />
       </Option>
       <Option type="Map">
        <Option name="Kan ej bedömas" type="QString" value="not_assessable" />
       </Option>
       <Option type="Map">
        <Option name="Under minsta area" type="QString" value="below_min" />
       </Option>
       <Option type="Map">
        <Option name="Stämmer" type="QString" value="confirmed" />
       </Option>
      </Option>
     </Option>
    </config>
   </editWidget>
  </field>
  <field name="area_m2" configurationFlags="None">
   <editWidget type="TextEdit">
    <config>
     <Option type="Map">
      <Option name="IsMultiline" type="bool" value="false" />
      <Option name="UseHtml" type="bool" value="false" />
     </Option>
    </config>
   </editWidget>
  </field>
  <field name="length_m" configurationFlags="None">
   <editWidget type="TextEdit">
    <config>
     <Option type="Map">
      <Option name="IsMultiline" type="bool" value="false" />
      <Option name="UseHtml" type="bool" value="false" />
     </Option>
    </config>
   </editWidget>
  </field>
  <field name="seen_m" configurationFlags="None">
   <editWidget type="TextEdit">
    <config>
     <Option type="Map">
      <Option name="IsMultiline" type="bool" value="false" />
      <Option name="UseHtml" type="bool" value="false" />
     </Option>
    </config>
   </editWidget>
  </field>
  <field name="obsolete_m" configurationFlags="None">
   <editWidget type="TextEdit">
    <config>
     <Option type="Map">
      <Option name="IsMultiline" type="bool" value="false" />
      <Option name="UseHtml" type="bool" value="false" />
     </Option>
    </config>
   </editWidget>
  </field>
  <field name="tolerance_m" configurationFlags="None">
   <editWidget type="TextEdit">
    <config>
     <Option type="Map">
      <Option name="IsMultiline" type="bool" value="false" />
      <Option name="UseHtml" type="bool" value="false" />
     </Option>
    </config>
   </editWidget>
  </field>
  <field name="visible_share" configurationFlags="None">
   <editWidget type="TextEdit">
    <config>
     <Option type="Map">
      <Option name="IsMultiline" type="bool" value="false" />
      <Option name="UseHtml" type="bool" value="false" />
     </Option>
    </config>
   </editWidget>
  </field>
  <field name="p_mean" configurationFlags="None">
   <editWidget type="TextEdit">
    <config>
     <Option type="Map">
      <Option name="IsMultiline" type="bool" value="false" />
      <Option name="UseHtml" type="bool" value="false" />
     </Option>
    </config>
   </editWidget>
  </field>
  <field name="p_q95" configurationFlags="None">
   <editWidget type="TextEdit">
    <config>
     <Option type="Map">
      <Option name="IsMultiline" type="bool" value="false" />
      <Option name="UseHtml" type="bool" value="false" />
     </Option>
    </config>
   </editWidget>
  </field>
  <field name="iou" configurationFlags="None">
   <editWidget type="TextEdit">
    <config>
     <Option type="Map">
      <Option name="IsMultiline" type="bool" value="false" />
      <Option name="UseHtml" type="bool" value="false" />
     </Option>
    </config>
   </editWidget>
  </field>
  <field name="iou_aligned" configurationFlags="None">
   <editWidget type="TextEdit">
    <config>
     <Option type="Map">
      <Option name="IsMultiline" type="bool" value="false" />
      <Option name="UseHtml" type="bool" value="false" />
     </Option>
    </config>
   </editWidget>
  </field>
  <field name="shift_dx_m" configurationFlags="None">
   <editWidget type="TextEdit">
    <config>
     <Option type="Map">
      <Option name="IsMultiline" type="bool" value="false" />
      <Option name="UseHtml" type="bool" value="false" />
     </Option>
    </config>
   </editWidget>
  </field>
  <field name="shift_dy_m" configurationFlags="None">
   <editWidget type="TextEdit">
    <config>
     <Option type="Map">
      <Option name="IsMultiline" type="bool" value="false" />
      <Option name="UseHtml" type="bool" value="false" />
     </Option>
    </config>
   </editWidget>
  </field>
  <field name="cardinality" configurationFlags="None">
   <editWidget type="TextEdit">
    <config>
     <Option type="Map">
      <Option name="IsMultiline" type="bool" value="false" />
      <Option name="UseHtml" type="bool" value="false" />
     </Option>
    </config>
   </editWidget>
  </field>
  <field name="defect" configurationFlags="None">
   <editWidget type="ValueMap">
    <config>
     <Option type="Map">
      <Option name="map" type="List">
       <Option type="Map">
        <Option name="–" type="QString" value="{2839923C-8B7D-419E-B84B-CA2FE9B80EC7}" />
       </Option>
       <Option type="Map">
        <Option name="Skär sig självt" type="QString" value="self_intersects" />
       </Option>
       <Option type="Map">
        <Option name="Överlappar sig självt" type="QString" value="self_overlaps" />
       </Option>
       <Option type="Map">
        <Option name="Annat" type="QString" value="other" />
       </Option>
      </Option>
     </Option>
    </config>
   </editWidget>
  </field>
 </fieldConfiguration>
 <aliases>
  <alias field="fid" index="0" name="fid" />
  <alias field="map_object_id" index="1" name="Kartobjekt-id" />
  <alias field="theme" index="2" name="Tema" />
  <alias field="status" index="3" name="Status" />
  <alias field="area_m2" index="4" name="Area (m²)" />
  <alias field="length_m" index="5" name="Längd (m)" />
  <alias field="seen_m" index="6" name="Sedd längd (m)" />
  <alias field="obsolete_m" index="7" name="Föråldrad längd (m)" />
  <alias field="tolerance_m" index="8" name="Tolerans (m)" />
  <alias field="visible_share" index="9" name="Synlig andel" />
  <alias field="p_mean" index="10" name="Sannolikhet, medel" />
  <alias field="p_q95" index="11" name="Sannolikhet, 95-percentil" />
  <alias field="iou" index="12" name="Överlappning karta–bild (IoU)" />
  <alias field="iou_aligned" index="13" name="IoU efter inpassning" />
  <alias field="shift_dx_m" index="14" name="Förskjutning öst (m)" />
  <alias field="shift_dy_m" index="15" name="Förskjutning norr (m)" />
  <alias field="cardinality" index="16" name="Antal karta:bild" />
  <alias field="defect" index="17" name="Fel i omrissets geometri" />
 </aliases>
 <editable>
  <field name="fid" editable="0" />
  <field name="map_object_id" editable="0" />
  <field name="theme" editable="0" />
  <field name="status" editable="0" />
  <field name="area_m2" editable="0" />
  <field name="length_m" editable="0" />
  <field name="seen_m" editable="0" />
  <field name="obsolete_m" editable="0" />
  <field name="tolerance_m" editable="0" />
  <field name="visible_share" editable="0" />
  <field name="p_mean" editable="0" />
  <field name="p_q95" editable="0" />
  <field name="iou" editable="0" />
  <field name="iou_aligned" editable="0" />
  <field name="shift_dx_m" editable="0" />
  <field name="shift_dy_m" editable="0" />
  <field name="cardinality" editable="0" />
  <field name="defect" editable="0" />
 </editable>
 <labelOnTop>
  <field name="fid" labelOnTop="0" />
  <field name="map_object_id" labelOnTop="0" />
  <field name="theme" labelOnTop="0" />
  <field name="status" labelOnTop="0" />
  <field name="area_m2" labelOnTop="0" />
  <field name="length_m" labelOnTop="0" />
  <field name="seen_m" labelOnTop="0" />
  <field name="obsolete_m" labelOnTop="0" />
  <field name="tolerance_m" labelOnTop="0" />
  <field name="visible_share" labelOnTop="0" />
  <field name="p_mean" labelOnTop="0" />
  <field name="p_q95" labelOnTop="0" />
  <field name="iou" labelOnTop="0" />
  <field name="iou_aligned" labelOnTop="0" />
  <field name="shift_dx_m" labelOnTop="0" />
  <field name="shift_dy_m" labelOnTop="0" />
  <field name="cardinality" labelOnTop="0" />
  <field name="defect" labelOnTop="0" />
 </labelOnTop>
 <defaults>
  <default field="fid" expression="" applyOnUpdate="0" />
  <default field="map_object_id" expression="" applyOnUpdate="0" />
  <default field="theme" expression="" applyOnUpdate="0" />
  <default field="status" expression="" applyOnUpdate="0" />
  <default field="area_m2" expression="" applyOnUpdate="0" />
  <default field="length_m" expression="" applyOnUpdate="0" />
  <default field="seen_m" expression="" applyOnUpdate="0" />
  <default field="obsolete_m" expression="" applyOnUpdate="0" />
  <default field="tolerance_m" expression="" applyOnUpdate="0" />
  <default field="visible_share" expression="" applyOnUpdate="0" />
  <default field="p_mean" expression="" applyOnUpdate="0" />
  <default field="p_q95" expression="" applyOnUpdate="0" />
  <default field="iou" expression="" applyOnUpdate="0" />
  <default field="iou_aligned" expression="" applyOnUpdate="0" />
  <default field="shift_dx_m" expression="" applyOnUpdate="0" />
  <default field="shift_dy_m" expression="" applyOnUpdate="0" />
  <default field="cardinality" expression="" applyOnUpdate="0" />
  <default field="defect" expression="" applyOnUpdate="0" />
 </defaults>
 <constraints>
  <constraint field="fid" constraints="0" notnull_strength="0" unique_strength="0" exp_strength="0" />
  <constraint field="map_object_id" constraints="1" notnull_strength="1" unique_strength="0" exp_strength="0" />
  <constraint field="theme" constraints="0" notnull_strength="0" unique_strength="0" exp_strength="0" />
  <constraint field="status" constraints="1" notnull_strength="1" unique_strength="0" exp_strength="0" />
  <constraint field="area_m2" constraints="0" notnull_strength="0" unique_strength="0" exp_strength="0" />
  <constraint field="length_m" constraints="0" notnull_strength="0" unique_strength="0" exp_strength="0" />
  <constraint field="seen_m" constraints="0" notnull_strength="0" unique_strength="0" exp_strength="0" />
  <constraint field="obsolete_m" constraints="0" notnull_strength="0" unique_strength="0" exp_strength="0" />
  <constraint field="tolerance_m" constraints="0" notnull_strength="0" unique_strength="0" exp_strength="0" />
  <constraint field="visible_share" constraints="0" notnull_strength="0" unique_strength="0" exp_strength="0" />
  <constraint field="p_mean" constraints="0" notnull_strength="0" unique_strength="0" exp_strength="0" />
  <constraint field="p_q95" constraints="0" notnull_strength="0" unique_strength="0" exp_strength="0" />
  <constraint field="iou" constraints="0" notnull_strength="0" unique_strength="0" exp_strength="0" />
  <constraint field="iou_aligned" constraints="0" notnull_strength="0" unique_strength="0" exp_strength="0" />
  <constraint field="shift_dx_m" constraints="0" notnull_strength="0" unique_strength="0" exp_strength="0" />
  <constraint field="shift_dy_m" constraints="0" notnull_strength="0" unique_strength="0" exp_strength="0" />
  <constraint field="cardinality" constraints="0" notnull_strength="0" unique_strength="0" exp_strength="0" />
  <constraint field="defect" constraints="0" notnull_strength="0" unique_strength="0" exp_strength="0" />
 </constraints>
 <constraintExpressions>
  <constraint field="fid" exp="" desc="" />
  <constraint field="map_object_id" exp="" desc="" />
  <constraint field="theme" exp="" desc="" />
  <constraint field="status" exp="" desc="" />
  <constraint field="area_m2" exp="" desc="" />
  <constraint field="length_m" exp="" desc="" />
  <constraint field="seen_m" exp="" desc="" />
  <constraint field="obsolete_m" exp="" desc="" />
  <constraint field="tolerance_m" exp="" desc="" />
  <constraint field="visible_share" exp="" desc="" />
  <constraint field="p_mean" exp="" desc="" />
  <constraint field="p_q95" exp="" desc="" />
  <constraint field="iou" exp="" desc="" />
  <constraint field="iou_aligned" exp="" desc="" />
  <constraint field="shift_dx_m" exp="" desc="" />
  <constraint field="shift_dy_m" exp="" desc="" />
  <constraint field="cardinality" exp="" desc="" />
  <constraint field="defect" exp="" desc="" />
 </constraintExpressions>
 <attributetableconfig actionWidgetStyle="buttonList" sortExpression="" sortOrder="0">
  <columns>
   <column type="field" name="map_object_id" hidden="0" width="-1" />
   <column type="field" name="theme" hidden="0" width="-1" />
   <column type="field" name="status" hidden="0" width="-1" />
   <column type="field" name="area_m2" hidden="0" width="-1" />
   <column type="field" name="length_m" hidden="0" width="-1" />
   <column type="field" name="seen_m" hidden="0" width="-1" />
   <column type="field" name="obsolete_m" hidden="0" width="-1" />
   <column type="field" name="tolerance_m" hidden="0" width="-1" />
   <column type="field" name="visible_share" hidden="0" width="-1" />
   <column type="field" name="p_mean" hidden="0" width="-1" />
   <column type="field" name="p_q95" hidden="0" width="-1" />
   <column type="field" name="iou" hidden="0" width="-1" />
   <column type="field" name="iou_aligned" hidden="0" width="-1" />
   <column type="field" name="shift_dx_m" hidden="0" width="-1" />
   <column type="field" name="shift_dy_m" hidden="0" width="-1" />
   <column type="field" name="cardinality" hidden="0" width="-1" />
   <column type="field" name="defect" hidden="0" width="-1" />
   <column type="field" name="fid" hidden="1" width="-1" />
  </columns>
 </attributetableconfig>
 <layerGeometryType>2</layerGeometryType>
 <renderer-v2 type="categorizedSymbol" attr="status" forceraster="0" symbollevels="0" enableorderby="0" referencescale="-1">
  <categories>
   <category symbol="0" value="demolished" label="Riven" render="true" type="string" />
   <category symbol="1" value="obsolete" label="Föråldrad" render="true" type="string" />
   <category symbol="2" value="extended" label="Tillbyggd" render="true" type="string" />
   <category symbol="3" value="reduced" label="Delvis riven" render="true" type="string" />
   <category symbol="4" value="reshaped" label="Ändrad form" render="true" type="string" />
   <category symbol="5" value="replaced" label="Ersatt" render="true" type="string" />
   <category symbol="6" value="moved" label="Flyttad" render="true" type="string" />
   <category symbol="7" value="planned_built" label="Planerad, nu byggd" render="true" type="string" />
   <category symbol="8" value="uncertain_absence" label="Syns inte, osäkert" render="true" type="string" />
   <category symbol="9" value="split" label="Delad" render="true" type="string" />
   <category symbol="10" value="merged" label="Sammanbyggd" render="true" type="string" />
   <category symbol="11" value="recomposed" label="Annan indelning" render="true" type="string" />
   <category symbol="12" value="class_mismatch" label="Annan objekttyp" render="true" type="string" />
   <category symbol="13" value="duplicate_in_map" label="Dubblett i kartan" render="true" type="string" />
   <category symbol="14" value="not_assessable" label="Kan ej bedömas" render="true" type="string" />
   <category symbol="15" value="below_min" label="Under minsta area" render="true" type="string" />
   <category symbol="16" value="confirmed" label="Stämmer" render="true" type="string" />
  </categories>
  <symbols>
   <symbol name="0" type="fill" alpha="1" clip_to_extent="1" force_rhr="0">
    <layer class="SimpleFill" enabled="1" locked="0" pass="0">
     <Option type="Map">
      <Option name="color" type="QString" value="255,255,255,0" />
      <Option name="style" type="QString" value="no" />
      <Option name="outline_color" type="QString" value="255,255,255,170" />
      <Option name="outline_style" type="QString" value="solid" />
      <Option name="outline_width" type="QString" value="1" />
      <Option name="outline_width_unit" type="QString" value="MM" />
      <Option name="joinstyle" type="QString" value="miter" />
      <Option name="offset" type="QString" value="0,0" />
      <Option name="offset_unit" type="QString" value="MM" />
     </Option>
     <prop k="color" v="255,255,255,0" />
     <prop k="style" v="no" />
     <prop k="outline_color" v="255,255,255,170" />
     <prop k="outline_style" v="solid" />
     <prop k="outline_width" v="1" />
     <prop k="outline_width_unit" v="MM" />
     <prop k="joinstyle" v="miter" />
     <prop k="offset" v="0,0" />
     <prop k="offset_unit" v="MM" />
    </layer>
    <layer class="SimpleFill" enabled="1" locked="0" pass="0">
     <Option type="Map">
      <Option name="color" type="QString" value="204,121,167,0" />
      <Option name="style" type="QString" value="no" />
      <Option name="outline_color" type="QString" value="204,121,167,255" />
      <Option name="outline_style" type="QString" value="dash" />
      <Option name="outline_width" type="QString" value="0.5" />
      <Option name="outline_width_unit" type="QString" value="MM" />
      <Option name="joinstyle" type="QString" value="miter" />
      <Option name="offset" type="QString" value="0,0" />
      <Option name="offset_unit" type="QString" value="MM" />
     </Option>
     <prop k="color" v="204,121,167,0" />
     <prop k="style" v="no" />
     <prop k="outline_color" v="204,121,167,255" />
     <prop k="outline_style" v="dash" />
     <prop k="outline_width" v="0.5" />
     <prop k="outline_width_unit" v="MM" />
     <prop k="joinstyle" v="miter" />
     <prop k="offset" v="0,0" />
     <prop k="offset_unit" v="MM" />
    </layer>
   </symbol>
   <symbol name="1" type="fill" alpha="1" clip_to_extent="1" force_rhr="0">
    <layer class="SimpleFill" enabled="1" locked="0" pass="0">
     <Option type="Map">
      <Option name="color" type="QString" value="255,255,255,0" />
      <Option name="style" type="QString" value="no" />
      <Option name="outline_color" type="QString" value="255,255,255,170" />
      <Option name="outline_style" type="QString" value="solid" />
      <Option name="outline_width" type="QString" value="1" />
      <Option name="outline_width_unit" type="QString" value="MM" />
      <Option name="joinstyle" type="QString" value="miter" />
      <Option name="offset" type="QString" value="0,0" />
      <Option name="offset_unit" type="QString" value="MM" />
     </Option>
     <prop k="color" v="255,255,255,0" />
     <prop k="style" v="no" />
     <prop k="outline_color" v="255,255,255,170" />
     <prop k="outline_style" v="solid" />
     <prop k="outline_width" v="1" />
     <prop k="outline_width_unit" v="MM" />
     <prop k="joinstyle" v="miter" />
     <prop k="offset" v="0,0" />
     <prop k="offset_unit" v="MM" />
    </layer>
    <layer class="SimpleFill" enabled="1" locked="0" pass="0">
     <Option type="Map">
      <Option name="color" type="QString" value="0,114,178,0" />
      <Option name="style" type="QString" value="no" />
      <Option name="outline_color" type="QString" value="0,114,178,255" />
      <Option name="outline_style" type="QString" value="dash" />
      <Option name="outline_width" type="QString" value="0.5" />
      <Option name="outline_width_unit" type="QString" value="MM" />
      <Option name="joinstyle" type="QString" value="miter" />
      <Option name="offset" type="QString" value="0,0" />
      <Option name="offset_unit" type="QString" value="MM" />
     </Option>
     <prop k="color" v="0,114,178,0" />
     <prop k="style" v="no" />
     <prop k="outline_color" v="0,114,178,255" />
     <prop k="outline_style" v="dash" />
     <prop k="outline_width" v="0.5" />
     <prop k="outline_width_unit" v="MM" />
     <prop k="joinstyle" v="miter" />
     <prop k="offset" v="0,0" />
     <prop k="offset_unit" v="MM" />
    </layer>
   </symbol>
   <symbol name="2" type="fill" alpha="1" clip_to_extent="1" force_rhr="0">
    <layer class="SimpleFill" enabled="1" locked="0" pass="0">
     <Option type="Map">
      <Option name="color" type="QString" value="255,255,255,0" />
      <Option name="style" type="QString" value="no" />
      <Option name="outline_color" type="QString" value="255,255,255,170" />
      <Option name="outline_style" type="QString" value="solid" />
      <Option name="outline_width" type="QString" value="1" />
      <Option name="outline_width_unit" type="QString" value="MM" />
      <Option name="joinstyle" type="QString" value="miter" />
      <Option name="offset" type="QString" value="0,0" />
      <Option name="offset_unit" type="QString" value="MM" />
     </Option>
     <prop k="color" v="255,255,255,0" />
     <prop k="style" v="no" />
     <prop k="outline_color" v="255,255,255,170" />
     <prop k="outline_style" v="solid" />
     <prop k="outline_width" v="1" />
     <prop k="outline_width_unit" v="MM" />
     <prop k="joinstyle" v="miter" />
     <prop k="offset" v="0,0" />
     <prop k="offset_unit" v="MM" />
    </layer>
    <layer class="SimpleFill" enabled="1" locked="0" pass="0">
     <Option type="Map">
      <Option name="color" type="QString" value="230,159,0,0" />
      <Option name="style" type="QString" value="no" />
      <Option name="outline_color" type="QString" value="230,159,0,255" />
      <Option name="outline_style" type="QString" value="solid" />
      <Option name="outline_width" type="QString" value="0.5" />
      <Option name="outline_width_unit" type="QString" value="MM" />
      <Option name="joinstyle" type="QString" value="miter" />
      <Option name="offset" type="QString" value="0,0" />
      <Option name="offset_unit" type="QString" value="MM" />
     </Option>
     <prop k="color" v="230,159,0,0" />
     <prop k="style" v="no" />
     <prop k="outline_color" v="230,159,0,255" />
     <prop k="outline_style" v="solid" />
     <prop k="outline_width" v="0.5" />
     <prop k="outline_width_unit" v="MM" />
     <prop k="joinstyle" v="miter" />
     <prop k="offset" v="0,0" />
     <prop k="offset_unit" v="MM" />
    </layer>
   </symbol>
   <symbol name="3" type="fill" alpha="1" clip_to_extent="1" force_rhr="0">
    <layer class="SimpleFill" enabled="1" locked="0" pass="0">
     <Option type="Map">
      <Option name="color" type="QString" value="255,255,255,0" />
      <Option name="style" type="QString" value="no" />
      <Option name="outline_color" type="QString" value="255,255,255,170" />
      <Option name="outline_style" type="QString" value="solid" />
      <Option name="outline_width" type="QString" value="1" />
      <Option name="outline_width_unit" type="QString" value="MM" />
      <Option name="joinstyle" type="QString" value="miter" />
      <Option name="offset" type="QString" value="0,0" />
      <Option name="offset_unit" type="QString" value="MM" />
     </Option>
     <prop k="color" v="255,255,255,0" />
     <prop k="style" v="no" />
     <prop k="outline_color" v="255,255,255,170" />
     <prop k="outline_style" v="solid" />
     <prop k="outline_width" v="1" />
     <prop k="outline_width_unit" v="MM" />
     <prop k="joinstyle" v="miter" />
     <prop k="offset" v="0,0" />
     <prop k="offset_unit" v="MM" />
    </layer>
    <layer class="SimpleFill" enabled="1" locked="0" pass="0">
     <Option type="Map">
      <Option name="color" type="QString" value="0,114,178,0" />
      <Option name="style" type="QString" value="no" />
      <Option name="outline_color" type="QString" value="0,114,178,255" />
      <Option name="outline_style" type="QString" value="dash" />
      <Option name="outline_width" type="QString" value="0.5" />
      <Option name="outline_width_unit" type="QString" value="MM" />
      <Option name="joinstyle" type="QString" value="miter" />
      <Option name="offset" type="QString" value="0,0" />
      <Option name="offset_unit" type="QString" value="MM" />
     </Option>
     <prop k="color" v="0,114,178,0" />
     <prop k="style" v="no" />
     <prop k="outline_color" v="0,114,178,255" />
     <prop k="outline_style" v="dash" />
     <prop k="outline_width" v="0.5" />
     <prop k="outline_width_unit" v="MM" />
     <prop k="joinstyle" v="miter" />
     <prop k="offset" v="0,0" />
     <prop k="offset_unit" v="MM" />
    </layer>
   </symbol>
   <symbol name="4" type="fill" alpha="1" clip_to_extent="1" force_rhr="0">
    <layer class="SimpleFill" enabled="1" locked="0" pass="0">
     <Option type="Map">
      <Option name="color" type="QString" value="255,255,255,0" />
      <Option name="style" type="QString" value="no" />
      <Option name="outline_color" type="QString" value="255,255,255,170" />
      <Option name="outline_style" type="QString" value="solid" />
      <Option name="outline_width" type="QString" value="1" />
      <Option name="outline_width_unit" type="QString" value="MM" />
      <Option name="joinstyle" type="QString" value="miter" />
      <Option name="offset" type="QString" value="0,0" />
      <Option name="offset_unit" type="QString" value="MM" />
     </Option>
     <prop k="color" v="255,255,255,0" />
     <prop k="style" v="no" />
     <prop k="outline_color" v="255,255,255,170" />
     <prop k="outline_style" v="solid" />
     <prop k="outline_width" v="1" />
     <prop k="outline_width_unit" v="MM" />
     <prop k="joinstyle" v="miter" />
     <prop k="offset" v="0,0" />
     <prop k="offset_unit" v="MM" />
    </layer>
    <layer class="SimpleFill" enabled="1" locked="0" pass="0">
     <Option type="Map">
      <Option name="color" type="QString" value="0,158,115,0" />
      <Option name="style" type="QString" value="no" />
      <Option name="outline_color" type="QString" value="0,158,115,255" />
      <Option name="outline_style" type="QString" value="solid" />
      <Option name="outline_width" type="QString" value="0.5" />
      <Option name="outline_width_unit" type="QString" value="MM" />
      <Option name="joinstyle" type="QString" value="miter" />
      <Option name="offset" type="QString" value="0,0" />
      <Option name="offset_unit" type="QString" value="MM" />
     </Option>
     <prop k="color" v="0,158,115,0" />
     <prop k="style" v="no" />
     <prop k="outline_color" v="0,158,115,255" />
     <prop k="outline_style" v="solid" />
     <prop k="outline_width" v="0.5" />
     <prop k="outline_width_unit" v="MM" />
     <prop k="joinstyle" v="miter" />
     <prop k="offset" v="0,0" />
     <prop k="offset_unit" v="MM" />
    </layer>
   </symbol>
   <symbol name="5" type="fill" alpha="1" clip_to_extent="1" force_rhr="0">
    <layer class="SimpleFill" enabled="1" locked="0" pass="0">
     <Option type="Map">
      <Option name="color" type="QString" value="255,255,255,0" />
      <Option name="style" type="QString" value="no" />
      <Option name="outline_color" type="QString" value="255,255,255,170" />
      <Option name="outline_style" type="QString" value="solid" />
      <Option name="outline_width" type="QString" value="1" />
      <Option name="outline_width_unit" type="QString" value="MM" />
      <Option name="joinstyle" type="QString" value="miter" />
      <Option name="offset" type="QString" value="0,0" />
      <Option name="offset_unit" type="QString" value="MM" />
     </Option>
     <prop k="color" v="255,255,255,0" />
     <prop k="style" v="no" />
     <prop k="outline_color" v="255,255,255,170" />
     <prop k="outline_style" v="solid" />
     <prop k="outline_width" v="1" />
     <prop k="outline_width_unit" v="MM" />
     <prop k="joinstyle" v="miter" />
     <prop k="offset" v="0,0" />
     <prop k="offset_unit" v="MM" />
    </layer>
    <layer class="SimpleFill" enabled="1" locked="0" pass="0">
     <Option type="Map">
      <Option name="color" type="QString" value="213,94,0,0" />
      <Option name="style" type="QString" value="no" />
      <Option name="outline_color" type="QString" value="213,94,0,255" />
      <Option name="outline_style" type="QString" value="solid" />
      <Option name="outline_width" type="QString" value="0.5" />
      <Option name="outline_width_unit" type="QString" value="MM" />
      <Option name="joinstyle" type="QString" value="miter" />
      <Option name="offset" type="QString" value="0,0" />
      <Option name="offset_unit" type="QString" value="MM" />
     </Option>
     <prop k="color" v="213,94,0,0" />
     <prop k="style" v="no" />
     <prop k="outline_color" v="213,94,0,255" />
     <prop k="outline_style" v="solid" />
     <prop k="outline_width" v="0.5" />
     <prop k="outline_width_unit" v="MM" />
     <prop k="joinstyle" v="miter" />
     <prop k="offset" v="0,0" />
     <prop k="offset_unit" v="MM" />
    </layer>
   </symbol>
   <symbol name="6" type="fill" alpha="1" clip_to_extent="1" force_rhr="0">
    <layer class="SimpleFill" enabled="1" locked="0" pass="0">
     <Option type="Map">
      <Option name="color" type="QString" value="255,255,255,0" />
      <Option name="style" type="QString" value="no" />
      <Option name="outline_color" type="QString" value="255,255,255,170" />
      <Option name="outline_style" type="QString" value="solid" />
      <Option name="outline_width" type="QString" value="1" />
      <Option name="outline_width_unit" type="QString" value="MM" />
      <Option name="joinstyle" type="QString" value="miter" />
      <Option name="offset" type="QString" value="0,0" />
      <Option name="offset_unit" type="QString" value="MM" />
     </Option>
     <prop k="color" v="255,255,255,0" />
     <prop k="style" v="no" />
     <prop k="outline_color" v="255,255,255,170" />
     <prop k="outline_style" v="solid" />
     <prop k="outline_width" v="1" />
     <prop k="outline_width_unit" v="MM" />
     <prop k="joinstyle" v="miter" />
     <prop k="offset" v="0,0" />
     <prop k="offset_unit" v="MM" />
    </layer>
    <layer class="SimpleFill" enabled="1" locked="0" pass="0">
     <Option type="Map">
      <Option name="color" type="QString" value="86,180,233,0" />
      <Option name="style" type="QString" value="no" />
      <Option name="outline_color" type="QString" value="86,180,233,255" />
      <Option name="outline_style" type="QString" value="solid" />
      <Option name="outline_width" type="QString" value="0.5" />
      <Option name="outline_width_unit" type="QString" value="MM" />
      <Option name="joinstyle" type="QString" value="miter" />
      <Option name="offset" type="QString" value="0,0" />
      <Option name="offset_unit" type="QString" value="MM" />
     </Option>
     <prop k="color" v="86,180,233,0" />
     <prop k="style" v="no" />
     <prop k="outline_color" v="86,180,233,255" />
     <prop k="outline_style" v="solid" />
     <prop k="outline_width" v="0.5" />
     <prop k="outline_width_unit" v="MM" />
     <prop k="joinstyle" v="miter" />
     <prop k="offset" v="0,0" />
     <prop k="offset_unit" v="MM" />
    </layer>
   </symbol>
   <symbol name="7" type="fill" alpha="1" clip_to_extent="1" force_rhr="0">
    <layer class="SimpleFill" enabled="1" locked="0" pass="0">
     <Option type="Map">
      <Option name="color" type="QString" value="255,255,255,0" />
      <Option name="style" type="QString" value="no" />
      <Option name="outline_color" type="QString" value="255,255,255,170" />
      <Option name="outline_style" type="QString" value="solid" />
      <Option name="outline_width" type="QString" value="1" />
      <Option name="outline_width_unit" type="QString" value="MM" />
      <Option name="joinstyle" type="QString" value="miter" />
      <Option name="offset" type="QString" value="0,0" />
      <Option name="offset_unit" type="QString" value="MM" />
     </Option>
     <prop k="color" v="255,255,255,0" />
     <prop k="style" v="no" />
     <prop k="outline_color" v="255,255,255,170" />
     <prop k="outline_style" v="solid" />
     <prop k="outline_width" v="1" />
     <prop k="outline_width_unit" v="MM" />
     <prop k="joinstyle" v="miter" />
     <prop k="offset" v="0,0" />
     <prop k="offset_unit" v="MM" />
    </layer>
    <layer class="SimpleFill" enabled="1" locked="0" pass="0">
     <Option type="Map">
      <Option name="color" type="QString" value="240,228,66,0" />
      <Option name="style" type="QString" value="no" />
      <Option name="outline_color" type="QString" value="240,228,66,255" />
      <Option name="outline_style" type="QString" value="solid" />
      <Option name="outline_width" type="QString" value="0.5" />
      <Option name="outline_width_unit" type="QString" value="MM" />
      <Option name="joinstyle" type="QString" value="miter" />
      <Option name="offset" type="QString" value="0,0" />
      <Option name="offset_unit" type="QString" value="MM" />
     </Option>
     <prop k="color" v="240,228,66,0" />
     <prop k="style" v="no" />
     <prop k="outline_color" v="240,228,66,255" />
     <prop k="outline_style" v="solid" />
     <prop k="outline_width" v="0.5" />
     <prop k="outline_width_unit" v="MM" />
     <prop k="joinstyle" v="miter" />
     <prop k="offset" v="0,0" />
     <prop k="offset_unit" v="MM" />
    </layer>
   </symbol>
   <symbol name="8" type="fill" alpha="1" clip_to_extent="1" force_rhr="0">
    <layer class="SimpleFill" enabled="1" locked="0" pass="0">
     <Option type="Map">
      <Option name="color" type="QString" value="255,255,255,0" />
      <Option name="style" type="QString" value="no" />
      <Option name="outline_color" type="QString" value="255,255,255,170" />
      <Option name="outline_style" type="QString" value="solid" />
      <Option name="outline_width" type="QString" value="1" />
      <Option name="outline_width_unit" type="QString" value="MM" />
      <Option name="joinstyle" type="QString" value="miter" />
      <Option name="offset" type="QString" value="0,0" />
      <Option name="offset_unit" type="QString" value="MM" />
     </Option>
     <prop k="color" v="255,255,255,0" />
     <prop k="style" v="no" />
     <prop k="outline_color" v="255,255,255,170" />
     <prop k="outline_style" v="solid" />
     <prop k="outline_width" v="1" />
     <prop k="outline_width_unit" v="MM" />
     <prop k="joinstyle" v="miter" />
     <prop k="offset" v="0,0" />
     <prop k="offset_unit" v="MM" />
    </layer>
    <layer class="SimpleFill" enabled="1" locked="0" pass="0">
     <Option type="Map">
      <Option name="color" type="QString" value="204,121,167,0" />
      <Option name="style" type="QString" value="no" />
      <Option name="outline_color" type="QString" value="204,121,167,255" />
      <Option name="outline_style" type="QString" value="dash" />
      <Option name="outline_width" type="QString" value="0.5" />
      <Option name="outline_width_unit" type="QString" value="MM" />
      <Option name="joinstyle" type="QString" value="miter" />
      <Option name="offset" type="QString" value="0,0" />
      <Option name="offset_unit" type="QString" value="MM" />
     </Option>
     <prop k="color" v="204,121,167,0" />
     <prop k="style" v="no" />
     <prop k="outline_color" v="204,121,167,255" />
     <prop k="outline_style" v="dash" />
     <prop k="outline_width" v="0.5" />
     <prop k="outline_width_unit" v="MM" />
     <prop k="joinstyle" v="miter" />
     <prop k="offset" v="0,0" />
     <prop k="offset_unit" v="MM" />
    </layer>
   </symbol>
   <symbol name="9" type="fill" alpha="1" clip_to_extent="1" force_rhr="0">
    <layer class="SimpleFill" enabled="1" locked="0" pass="0">
     <Option type="Map">
      <Option name="color" type="QString" value="255,255,255,0" />
      <Option name="style" type="QString" value="no" />
      <Option name="outline_color" type="QString" value="255,255,255,170" />
      <Option name="outline_style" type="QString" value="solid" />
      <Option name="outline_width" type="QString" value="1" />
      <Option name="outline_width_unit" type="QString" value="MM" />
      <Option name="joinstyle" type="QString" value="miter" />
      <Option name="offset" type="QString" value="0,0" />
      <Option name="offset_unit" type="QString" value="MM" />
     </Option>
     <prop k="color" v="255,255,255,0" />
     <prop k="style" v="no" />
     <prop k="outline_color" v="255,255,255,170" />
     <prop k="outline_style" v="solid" />
     <prop k="outline_width" v="1" />
     <prop k="outline_width_unit" v="MM" />
     <prop k="joinstyle" v="miter" />
     <prop k="offset" v="0,0" />
     <prop k="offset_unit" v="MM" />
    </layer>
    <layer class="SimpleFill" enabled="1" locked="0" pass="0">
     <Option type="Map">
      <Option name="color" type="QString" value="86,180,233,0" />
      <Option name="style" type="QString" value="no" />
      <Option name="outline_color" type="QString" value="86,180,233,255" />
      <Option name="outline_style" type="QString" value="solid" />
      <Option name="outline_width" type="QString" value="0.5" />
      <Option name="outline_width_unit" type="QString" value="MM" />
      <Option name="joinstyle" type="QString" value="miter" />
      <Option name="offset" type="QString" value="0,0" />
      <Option name="offset_unit" type="QString" value="MM" />
     </Option>
     <prop k="color" v="86,180,233,0" />
     <prop k="style" v="no" />
     <prop k="outline_color" v="86,180,233,255" />
     <prop k="outline_style" v="solid" />
     <prop k="outline_width" v="0.5" />
     <prop k="outline_width_unit" v="MM" />
     <prop k="joinstyle" v="miter" />
     <prop k="offset" v="0,0" />
     <prop k="offset_unit" v="MM" />
    </layer>
   </symbol>
   <symbol name="10" type="fill" alpha="1" clip_to_extent="1" force_rhr="0">
    <layer class="SimpleFill" enabled="1" locked="0" pass="0">
     <Option type="Map">
      <Option name="color" type="QString" value="255,255,255,0" />
      <Option name="style" type="QString" value="no" />
      <Option name="outline_color" type="QString" value="255,255,255,170" />
      <Option name="outline_style" type="QString" value="solid" />
      <Option name="outline_width" type="QString" value="1" />
      <Option name="outline_width_unit" type="QString" value="MM" />
      <Option name="joinstyle" type="QString" value="miter" />
      <Option name="offset" type="QString" value="0,0" />
      <Option name="offset_unit" type="QString" value="MM" />
     </Option>
     <prop k="color" v="255,255,255,0" />
     <prop k="style" v="no" />
     <prop k="outline_color" v="255,255,255,170" />
     <prop k="outline_style" v="solid" />
     <prop k="outline_width" v="1" />
     <prop k="outline_width_unit" v="MM" />
     <prop k="joinstyle" v="miter" />
     <prop k="offset" v="0,0" />
     <prop k="offset_unit" v="MM" />
    </layer>
    <layer class="SimpleFill" enabled="1" locked="0" pass="0">
     <Option type="Map">
      <Option name="color" type="QString" value="86,180,233,0" />
      <Option name="style" type="QString" value="no" />
      <Option name="outline_color" type="QString" value="86,180,233,255" />
      <Option name="outline_style" type="QString" value="solid" />
      <Option name="outline_width" type="QString" value="0.5" />
      <Option name="outline_width_unit" type="QString" value="MM" />
      <Option name="joinstyle" type="QString" value="miter" />
      <Option name="offset" type="QString" value="0,0" />
      <Option name="offset_unit" type="QString" value="MM" />
     </Option>
     <prop k="color" v="86,180,233,0" />
     <prop k="style" v="no" />
     <prop k="outline_color" v="86,180,233,255" />
     <prop k="outline_style" v="solid" />
     <prop k="outline_width" v="0.5" />
     <prop k="outline_width_unit" v="MM" />
     <prop k="joinstyle" v="miter" />
     <prop k="offset" v="0,0" />
     <prop k="offset_unit" v="MM" />
    </layer>
   </symbol>
   <symbol name="11" type="fill" alpha="1" clip_to_extent="1" force_rhr="0">
    <layer class="SimpleFill" enabled="1" locked="0" pass="0">
     <Option type="Map">
      <Option name="color" type="QString" value="255,255,255,0" />
      <Option name="style" type="QString" value="no" />
      <Option name="outline_color" type="QString" value="255,255,255,170" />
      <Option name="outline_style" type="QString" value="solid" />
      <Option name="outline_width" type="QString" value="1" />
      <Option name="outline_width_unit" type="QString" value="MM" />
      <Option name="joinstyle" type="QString" value="miter" />
      <Option name="offset" type="QString" value="0,0" />
      <Option name="offset_unit" type="QString" value="MM" />
     </Option>
     <prop k="color" v="255,255,255,0" />
     <prop k="style" v="no" />
     <prop k="outline_color" v="255,255,255,170" />
     <prop k="outline_style" v="solid" />
     <prop k="outline_width" v="1" />
     <prop k="outline_width_unit" v="MM" />
     <prop k="joinstyle" v="miter" />
     <prop k="offset" v="0,0" />
     <prop k="offset_unit" v="MM" />
    </layer>
    <layer class="SimpleFill" enabled="1" locked="0" pass="0">
     <Option type="Map">
      <Option name="color" type="QString" value="0,158,115,0" />
      <Option name="style" type="QString" value="no" />
      <Option name="outline_color" type="QString" value="0,158,115,255" />
      <Option name="outline_style" type="QString" value="solid" />
      <Option name="outline_width" type="QString" value="0.5" />
      <Option name="outline_width_unit" type="QString" value="MM" />
      <Option name="joinstyle" type="QString" value="miter" />
      <Option name="offset" type="QString" value="0,0" />
      <Option name="offset_unit" type="QString" value="MM" />
     </Option>
     <prop k="color" v="0,158,115,0" />
     <prop k="style" v="no" />
     <prop k="outline_color" v="0,158,115,255" />
     <prop k="outline_style" v="solid" />
     <prop k="outline_width" v="0.5" />
     <prop k="outline_width_unit" v="MM" />
     <prop k="joinstyle" v="miter" />
     <prop k="offset" v="0,0" />
     <prop k="offset_unit" v="MM" />
    </layer>
   </symbol>
   <symbol name="12" type="fill" alpha="1" clip_to_extent="1" force_rhr="0">
    <layer class="SimpleFill" enabled="1" locked="0" pass="0">
     <Option type="Map">
      <Option name="color" type="QString" value="255,255,255,0" />
      <Option name="style" type="QString" value="no" />
      <Option name="outline_color" type="QString" value="255,255,255,170" />
      <Option name="outline_style" type="QString" value="solid" />
      <Option name="outline_width" type="QString" value="1" />
      <Option name="outline_width_unit" type="QString" value="MM" />
      <Option name="joinstyle" type="QString" value="miter" />
      <Option name="offset" type="QString" value="0,0" />
      <Option name="offset_unit" type="QString" value="MM" />
     </Option>
     <prop k="color" v="255,255,255,0" />
     <prop k="style" v="no" />
     <prop k="outline_color" v="255,255,255,170" />
     <prop k="outline_style" v="solid" />
     <prop k="outline_width" v="1" />
     <prop k="outline_width_unit" v="MM" />
     <prop k="joinstyle" v="miter" />
     <prop k="offset" v="0,0" />
     <prop k="offset_unit" v="MM" />
    </layer>
    <layer class="SimpleFill" enabled="1" locked="0" pass="0">
     <Option type="Map">
      <Option name="color" type="QString" value="240,228,66,0" />
      <Option name="style" type="QString" value="no" />
      <Option name="outline_color" type="QString" value="240,228,66,255" />
      <Option name="outline_style" type="QString" value="solid" />
      <Option name="outline_width" type="QString" value="0.5" />
      <Option name="outline_width_unit" type="QString" value="MM" />
      <Option name="joinstyle" type="QString" value="miter" />
      <Option name="offset" type="QString" value="0,0" />
      <Option name="offset_unit" type="QString" value="MM" />
     </Option>
     <prop k="color" v="240,228,66,0" />
     <prop k="style" v="no" />
     <prop k="outline_color" v="240,228,66,255" />
     <prop k="outline_style" v="solid" />
     <prop k="outline_width" v="0.5" />
     <prop k="outline_width_unit" v="MM" />
     <prop k="joinstyle" v="miter" />
     <prop k="offset" v="0,0" />
     <prop k="offset_unit" v="MM" />
    </layer>
   </symbol>
   <symbol name="13" type="fill" alpha="1" clip_to_extent="1" force_rhr="0">
    <layer class="SimpleFill" enabled="1" locked="0" pass="0">
     <Option type="Map">
      <Option name="color" type="QString" value="255,255,255,0" />
      <Option name="style" type="QString" value="no" />
      <Option name="outline_color" type="QString" value="255,255,255,170" />
      <Option name="outline_style" type="QString" value="solid" />
      <Option name="outline_width" type="QString" value="1" />
      <Option name="outline_width_unit" type="QString" value="MM" />
      <Option name="joinstyle" type="QString" value="miter" />
      <Option name="offset" type="QString" value="0,0" />
      <Option name="offset_unit" type="QString" value="MM" />
     </Option>
     <prop k="color" v="255,255,255,0" />
     <prop k="style" v="no" />
     <prop k="outline_color" v="255,255,255,170" />
     <prop k="outline_style" v="solid" />
     <prop k="outline_width" v="1" />
     <prop k="outline_width_unit" v="MM" />
     <prop k="joinstyle" v="miter" />
     <prop k="offset" v="0,0" />
     <prop k="offset_unit" v="MM" />
    </layer>
    <layer class="SimpleFill" enabled="1" locked="0" pass="0">
     <Option type="Map">
      <Option name="color" type="QString" value="0,0,0,0" />
      <Option name="style" type="QString" value="no" />
      <Option name="outline_color" type="QString" value="0,0,0,255" />
      <Option name="outline_style" type="QString" value="solid" />
      <Option name="outline_width" type="QString" value="0.5" />
      <Option name="outline_width_unit" type="QString" value="MM" />
      <Option name="joinstyle" type="QString" value="miter" />
      <Option name="offset" type="QString" value="0,0" />
      <Option name="offset_unit" type="QString" value="MM" />
     </Option>
     <prop k="color" v="0,0,0,0" />
     <prop k="style" v="no" />
     <prop k="outline_color" v="0,0,0,255" />
     <prop k="outline_style" v="solid" />
     <prop k="outline_width" v="0.5" />
     <prop k="outline_width_unit" v="MM" />
     <prop k="joinstyle" v="miter" />
     <prop k="offset" v="0,0" />
     <prop k="offset_unit" v="MM" />
    </layer>
   </symbol>
   <symbol name="14" type="fill" alpha="1" clip_to_extent="1" force_rhr="0">
    <layer class="SimpleFill" enabled="1" locked="0" pass="0">
     <Option type="Map">
      <Option name="color" type="QString" value="255,255,255,0" />
      <Option name="style" type="QString" value="no" />
      <Option name="outline_color" type="QString" value="255,255,255,170" />
      <Option name="outline_style" type="QString" value="solid" />
      <Option name="outline_width" type="QString" value="1" />
      <Option name="outline_width_unit" type="QString" value="MM" />
      <Option name="joinstyle" type="QString" value="miter" />
      <Option name="offset" type="QString" value="0,0" />
      <Option name="offset_unit" type="QString" value="MM" />
     </Option>
     <prop k="color" v="255,255,255,0" />
     <prop k="style" v="no" />
     <prop k="outline_color" v="255,255,255,170" />
     <prop k="outline_style" v="solid" />
     <prop k="outline_width" v="1" />
     <prop k="outline_width_unit" v="MM" />
     <prop k="joinstyle" v="miter" />
     <prop k="offset" v="0,0" />
     <prop k="offset_unit" v="MM" />
    </layer>
    <layer class="SimpleFill" enabled="1" locked="0" pass="0">
     <Option type="Map">
      <Option name="color" type="QString" value="140,140,140,0" />
      <Option name="style" type="QString" value="no" />
      <Option name="outline_color" type="QString" value="140,140,140,255" />
      <Option name="outline_style" type="QString" value="solid" />
      <Option name="outline_width" type="QString" value="0.5" />
      <Option name="outline_width_unit" type="QString" value="MM" />
      <Option name="joinstyle" type="QString" value="miter" />
      <Option name="offset" type="QString" value="0,0" />
      <Option name="offset_unit" type="QString" value="MM" />
     </Option>
     <prop k="color" v="140,140,140,0" />
     <prop k="style" v="no" />
     <prop k="outline_color" v="140,140,140,255" />
     <prop k="outline_style" v="solid" />
     <prop k="outline_width" v="0.5" />
     <prop k="outline_width_unit" v="MM" />
     <prop k="joinstyle" v="miter" />
     <prop k="offset" v="0,0" />
     <prop k="offset_unit" v="MM" />
    </layer>
   </symbol>
   <symbol name="15" type="fill" alpha="1" clip_to_extent="1" force_rhr="0">
    <layer class="SimpleFill" enabled="1" locked="0" pass="0">
     <Option type="Map">
      <Option name="color" type="QString" value="255,255,255,0" />
      <Option name="style" type="QString" value="no" />
      <Option name="outline_color" type="QString" value="255,255,255,170" />
      <Option name="outline_style" type="QString" value="solid" />
      <Option name="outline_width" type="QString" value="1" />
      <Option name="outline_width_unit" type="QString" value="MM" />
      <Option name="joinstyle" type="QString" value="miter" />
      <Option name="offset" type="QString" value="0,0" />
      <Option name="offset_unit" type="QString" value="MM" />
     </Option>
     <prop k="color" v="255,255,255,0" />
     <prop k="style" v="no" />
     <prop k="outline_color" v="255,255,255,170" />
     <prop k="outline_style" v="solid" />
     <prop k="outline_width" v="1" />
     <prop k="outline_width_unit" v="MM" />
     <prop k="joinstyle" v="miter" />
     <prop k="offset" v="0,0" />
     <prop k="offset_unit" v="MM" />
    </layer>
    <layer class="SimpleFill" enabled="1" locked="0" pass="0">
     <Option type="Map">
      <Option name="color" type="QString" value="140,140,140,0" />
      <Option name="style" type="QString" value="no" />
      <Option name="outline_color" type="QString" value="140,140,140,255" />
      <Option name="outline_style" type="QString" value="solid" />
      <Option name="outline_width" type="QString" value="0.5" />
      <Option name="outline_width_unit" type="QString" value="MM" />
      <Option name="joinstyle" type="QString" value="miter" />
      <Option name="offset" type="QString" value="0,0" />
      <Option name="offset_unit" type="QString" value="MM" />
     </Option>
     <prop k="color" v="140,140,140,0" />
     <prop k="style" v="no" />
     <prop k="outline_color" v="140,140,140,255" />
     <prop k="outline_style" v="solid" />
     <prop k="outline_width" v="0.5" />
     <prop k="outline_width_unit" v="MM" />
     <prop k="joinstyle" v="miter" />
     <prop k="offset" v="0,0" />
     <prop k="offset_unit" v="MM" />
    </layer>
   </symbol>
   <symbol name="16" type="fill" alpha="1" clip_to_extent="1" force_rhr="0">
    <layer class="SimpleFill" enabled="1" locked="0" pass="0">
     <Option type="Map">
      <Option name="color" type="QString" value="255,255,255,0" />
      <Option name="style" type="QString" value="no" />
      <Option name="outline_color" type="QString" value="255,255,255,170" />
      <Option name="outline_style" type="QString" value="solid" />
      <Option name="outline_width" type="QString" value="1" />
      <Option name="outline_width_unit" type="QString" value="MM" />
      <Option name="joinstyle" type="QString" value="miter" />
      <Option name="offset" type="QString" value="0,0" />
      <Option name="offset_unit" type="QString" value="MM" />
     </Option>
     <prop k="color" v="255,255,255,0" />
     <prop k="style" v="no" />
     <prop k="outline_color" v="255,255,255,170" />
     <prop k="outline_style" v="solid" />
     <prop k="outline_width" v="1" />
     <prop k="outline_width_unit" v="MM" />
     <prop k="joinstyle" v="miter" />
     <prop k="offset" v="0,0" />
     <prop k="offset_unit" v="MM" />
    </layer>
    <layer class="SimpleFill" enabled="1" locked="0" pass="0">
     <Option type="Map">
      <Option name="color" type="QString" value="0,158,115,0" />
      <Option name="style" type="QString" value="no" />
      <Option name="outline_color" type="QString" value="0,158,115,255" />
      <Option name="outline_style" type="QString" value="solid" />
      <Option name="outline_width" type="QString" value="0.5" />
      <Option name="outline_width_unit" type="QString" value="MM" />
      <Option name="joinstyle" type="QString" value="miter" />
      <Option name="offset" type="QString" value="0,0" />
      <Option name="offset_unit" type="QString" value="MM" />
     </Option>
     <prop k="color" v="0,158,115,0" />
     <prop k="style" v="no" />
     <prop k="outline_color" v="0,158,115,255" />
     <prop k="outline_style" v="solid" />
     <prop k="outline_width" v="0.5" />
     <prop k="outline_width_unit" v="MM" />
     <prop k="joinstyle" v="miter" />
     <prop k="offset" v="0,0" />
     <prop k="offset_unit" v="MM" />
    </layer>
   </symbol>
  </symbols>
 </renderer-v2>
 <previewExpression>"map_object_id"</previewExpression>
</qgis>